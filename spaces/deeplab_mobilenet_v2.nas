//! DeepLabV3 on MobileNetV2 (Sandler et al. 2018), output stride 16, without atrous branches, as
//! in the TensorFlow model zoo. Nothing is searched: one network.
//!
//! 33 lines of code; 213 in bonlime/keras-deeplab-v3-plus at 00a6c49 (model.py: `Deeplabv3`, which
//! has both backbones, this one at output stride 8, and the blocks of MobileNetV2).
use std.blocks.{conv_bn, mbconv}
use std.heads.{aspp, pixel_classifier}

/// Inverted residual with a dilated depthwise convolution: [C, H, W] -> [out, H, W].
block dilated_mbconv(x, out, expand = 6, dilation = 2) {
    let mid = expand * x.channels
    let y = x -> conv_bn(mid, kernel = 1, act = "relu6")
        -> conv_bn(mid, kernel = 3, dilation = dilation, groups = mid, act = "relu6")
        -> conv_bn(out, kernel = 1)
    if x.channels == out { x + y } else { y }
}

space deeplab_mobilenet_v2(classes = 19, height = 1025, width = 2049) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn(32, kernel = 3, stride = 2, act = "relu6") -> mbconv(16, expand = 1)
    for (channels, repeats, stride) in [(24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1),
                                        (160, 1, 1)] {
        x = x -> repeat repeats as i { mbconv(channels, stride = if i == 0 { stride } else { 1 }) }
    }
    for channels in [160, 160, 320] {
        x = x -> dilated_mbconv(channels)
    }
    output logits = x -> aspp(rates = []) -> pixel_classifier(classes, size = (height, width))
}

/// Cityscapes (model zoo). The reference count of parameters has 2,112,275: one less for each
/// of the head's 3 * 256 channels, which here, as in the zoo, have the scale and the shift of a
/// batch norm.
arch cityscapes of deeplab_mobilenet_v2 {
    expect macs == 21_233_054_912
    expect params == 2_112_275 + 3 * 256
    expect macs ~= 21.27G within 0.18%
}

/// PASCAL VOC (model zoo).
arch voc of deeplab_mobilenet_v2(classes = 21, height = 513, width = 513) {
    expect macs == 2_740_709_056
    expect params == 2_112_789 + 3 * 256
    expect macs ~= 2.75G within 0.34%
}

expect deeplab_mobilenet_v2.count == 1
