//! MobileNetV3 (Howard et al. 2019), large and small, as in torchvision.
//!
//! 36 lines of code; 196 in torchvision 0.26.0 (models/mobilenetv3.py: `MobileNetV3`, its
//! block and configurations).
use std.blocks.{conv_bn, mbconv}

/// Kernel, channels inside, channels, squeeze-and-excite, activation and stride of the layers.
const LARGE = [(3, 16, 16, 0, "relu", 1), (3, 64, 24, 0, "relu", 2), (3, 72, 24, 0, "relu", 1),
               (5, 72, 40, 0.25, "relu", 2), (5, 120, 40, 0.25, "relu", 1),
               (5, 120, 40, 0.25, "relu", 1), (3, 240, 80, 0, "hswish", 2),
               (3, 200, 80, 0, "hswish", 1), (3, 184, 80, 0, "hswish", 1),
               (3, 184, 80, 0, "hswish", 1), (3, 480, 112, 0.25, "hswish", 1),
               (3, 672, 112, 0.25, "hswish", 1), (5, 672, 160, 0.25, "hswish", 2),
               (5, 960, 160, 0.25, "hswish", 1), (5, 960, 160, 0.25, "hswish", 1)]
const SMALL = [(3, 16, 16, 0.25, "relu", 2), (3, 72, 24, 0, "relu", 2), (3, 88, 24, 0, "relu", 1),
               (5, 96, 40, 0.25, "hswish", 2), (5, 240, 40, 0.25, "hswish", 1),
               (5, 240, 40, 0.25, "hswish", 1), (5, 120, 48, 0.25, "hswish", 1),
               (5, 144, 48, 0.25, "hswish", 1), (5, 288, 96, 0.25, "hswish", 2),
               (5, 576, 96, 0.25, "hswish", 1), (5, 576, 96, 0.25, "hswish", 1)]

/// The batch norm of networks that were first trained in TensorFlow.
block norm(x) { x -> batch_norm(eps = 1e-3, momentum = 0.01) }

space mobilenet_v3(classes = 1000, size = 224, layers = LARGE, features = 1280) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn(16, kernel = 3, stride = 2, act = "hswish", norm = norm)
    for (kernel, mid, channels, se, act, stride) in layers {
        x = x -> mbconv(channels, stride, kernel, 1.0 * mid / x.channels, act, se, norm)
    }
    output logits = x -> conv_bn(6 * x.channels, kernel = 1, act = "hswish", norm = norm)
        -> global_avg_pool -> linear(features) -> hswish -> dropout(0.2) -> linear(classes)
}

/// Published in the paper, as the next one.
arch large of mobilenet_v3 {
    expect macs == 216_589_760
    expect params == 5_483_032
    expect params ~= 5.4M within 1.6%
    expect macs ~= 219M within 1.2%
}

arch small of mobilenet_v3(layers = SMALL, features = 1024) {
    expect macs == 56_510_400
    expect params == 2_542_856
    expect params ~= 2.5M within 1.8%
    expect macs ~= 56M within 1%
}
