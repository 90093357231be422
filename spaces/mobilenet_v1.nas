//! MobileNetV1 (Howard et al. 2017), of four widths. The published figures are those that the
//! authors of ShuffleNet print.
//!
//! 43 lines of code; 87 in pytorchcv 0.0.74 (models/mobilenet.py: `MobileNet`, `get_mobilenet`).
use std.blocks.{conv_bn_relu, separable_conv}

space mobilenet_v1(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)

    let width = choose width [1, 0.75, 0.5, 0.25]
    var x = image -> conv_bn_relu(round_to(32 * width, 8), kernel = 3, stride = 2)
    for (channels, repeats, stride) in [(64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2),
                                        (1024, 2, 2)] {
        x = x -> repeat repeats as i {
            separable_conv(round_to(channels * width, 8), stride = if i == 0 { stride } else { 1 })
        }
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

/// The README of the reference implementation (megvii), as the next three.
arch x100 of mobilenet_v1 {
    width = [1]
    expect macs == 568_740_352
    expect params == 4_231_976
    expect macs ~= 569M
    expect params ~= 4.2M
}

arch x075 of mobilenet_v1 {
    width = [0.75]
    expect macs == 325_400_448
    expect params == 2_585_560
    expect macs ~= 325M
    expect params ~= 2.6M
}

arch x050 of mobilenet_v1 {
    width = [0.5]
    expect macs == 149_497_088
    expect params == 1_331_592
    expect macs ~= 149M
    expect params ~= 1.3M
}

arch x025 of mobilenet_v1 {
    width = [0.25]
    expect macs == 41_030_272
    expect params == 470_072
    expect macs ~= 41M
    expect params ~= 0.5M
}

expect mobilenet_v1.count == 4
