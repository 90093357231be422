//! MobileNetV2 (Sandler et al. 2018), of four widths. The published figures are those of the
//! TensorFlow model garden, in parentheses how far ours are from them.
//!
//! 46 lines of code; 112 in torchvision 0.29.2 (models/mobilenetv2.py: `MobileNetV2`, its block).
use std.blocks.{conv_bn, mbconv}

space mobilenet_v2(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)

    let width = choose width [0.75, 1, 1.3, 1.4]
    var x = image -> conv_bn(round_to(32 * width, 8), kernel = 3, stride = 2, act = "relu6")
    for (expand, channels, repeats, stride) in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                                                (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                                (6, 320, 1, 1)] {
        for i in 0..repeats {
            let out = round_to(channels * width, 8)
            x = x -> mbconv(out, stride = if i == 0 { stride } else { 1 }, expand = expand)
        }
    }
    output logits = x -> conv_bn(round_to(1280 * max(width, 1), 8), kernel = 1, act = "relu6")
        -> global_avg_pool -> dropout(0.2) -> linear(classes)
}

/// The table of tensorflow/models, as the next three.
arch x075 of mobilenet_v2 {
    width = [0.75]
    expect macs == 209_069_792
    expect params == 2_636_424
    expect macs ~= 209M
    expect params ~= 2.61M within 1.1%
}

arch x100 of mobilenet_v2 {
    width = [1]
    expect macs == 300_774_272
    expect params == 3_504_872
    expect macs ~= 300M within 0.26%
    expect params ~= 3.47M within 1.1%
}

arch x130 of mobilenet_v2 {
    width = [1.3]
    expect macs == 509_374_560
    expect params == 5_386_792
    expect macs ~= 509M
    expect params ~= 5.34M within 0.88%
}

arch x140 of mobilenet_v2 {
    width = [1.4]
    expect macs == 582_195_824
    expect params == 6_108_776
    expect macs ~= 582M
    expect params ~= 6.06M within 0.81%
}

expect mobilenet_v2.count == 4
