//! SqueezeNet (Iandola et al. 2016), versions 1.0 and 1.1. The authors' Caffe file takes
//! images of 227 pixels and pads the 1x1 classifier by a pixel.
//!
//! 41 lines of code; 70 in torchvision 0.29.2 (models/squeezenet.py: `SqueezeNet`, `Fire`).
use std.classic.{conv_relu, fire}

space squeezenet(classes = 1000, size = 224, padding = 0) {
    input image: [3, size, size]
    task classification(classes)

    let version = choose version ["1.0", "1.1"]
    let channels = if version == "1.0" { 96 } else { 64 }
    let kernel = if version == "1.0" { 7 } else { 3 }
    let halved_after = if version == "1.0" { [2, 6] } else { [1, 3] }

    var x = image -> conv_relu(channels, kernel, stride = 2, padding = "valid")
        -> max_pool(3, stride = 2, ceil = true)
    for i in 0..8 {
        let squeeze = 16 * (i / 2 + 1)
        let y = x -> fire(squeeze, expand = 4 * squeeze)
        x = if i == halved_after[0] or i == halved_after[1] {
            y -> max_pool(3, stride = 2, ceil = true)
        } else {
            y
        }
    }
    output logits = x -> dropout -> conv_relu(classes, kernel = 1, padding = padding)
        -> global_avg_pool -> flatten
}

/// Version 1.0 as in torchvision; published in the survey.
arch v1_0 of squeezenet {
    version = ["1.0"]
    expect macs == 818_924_576
    expect params == 1_248_424
    expect macs ~= 0.837G within 2.2%
    expect params ~= 1.2M
}

/// Version 1.0 after the authors' Caffe file.
arch v1_0_caffe of squeezenet(size = 227, padding = 1) {
    version = ["1.0"]
    expect macs == 861_339_936
    expect params == 1_248_424
}

/// Version 1.1 as in torchvision; published: 2.4 times less computation than 1.0.
arch v1_1 of squeezenet {
    version = ["1.1"]
    expect macs == 349_151_936
    expect params == 1_235_496
    expect 2.4 * macs ~= 818_924_576 within 2.4%
}

expect squeezenet.count == 2
