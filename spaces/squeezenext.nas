//! SqueezeNext-23 (Gholami et al. 2018): width, groups, and two versions that differ in the first
//! convolution, the depths of the stages, and what is squeezed where the shape changes. Five of the
//! eight are published, as Caffe files of 105 kB each; the classifier's bias is not in those.
//!
//! 69 lines of code; 164 in pytorchcv 0.0.74 (models/squeezenext.py: `SqueezeNext`, its blocks, `get_squeezenext`).
use std.blocks.conv_bn
use std.mobile.squeezenext

space squeezenext_23(classes = 1000, size = 227) {
    input image: [3, size, size]
    task classification(classes)

    let width = choose width [1, 2]
    let groups = choose groups [1, 2]
    let version = choose version [1, 5]
    let repeats = if version == 1 { [6, 6, 8, 1] } else { [2, 4, 14, 1] }
    let kernel = if version == 1 { 7 } else { 5 }

    var x = image -> conv_bn(64, kernel, stride = 2, padding = "valid", act = "relu")
        -> max_pool(3, stride = 2, ceil = true)
    for stage in 0..4 {
        x = x -> repeat repeats[stage] as i {
            squeezenext(
                32 * width * 2 ^ stage,
                stride = if stage > 0 and i == 0 { 2 } else { 1 },
                groups,
                project = i == 0,
                tall_first = i % 2 == 0,
                in_line = version == 5,
            )
        }
    }
    output logits = x -> conv_bn(128, kernel = 1, act = "relu") -> global_avg_pool
        -> linear(classes)
}

/// 1.0-SqNxt-23.
arch sqnxt_23 of squeezenext_23 {
    width = [1]
    groups = [1]
    version = [1]
    expect macs == 277_999_808
    expect params == 718_280
    expect macs ~= 282M within 1.5%
    expect params ~= 0.72M
}

/// 1.0-G-SqNxt-23.
arch sqnxt_23_grouped of squeezenext_23 {
    width = [1]
    groups = [2]
    version = [1]
    expect macs == 224_191_552
    expect params == 544_072
}

/// 1.0-SqNxt-23v5.
arch sqnxt_23v5 of squeezenext_23 {
    width = [1]
    groups = [1]
    version = [5]
    expect macs == 224_916_480
    expect params == 931_016
    expect params ~= 0.93M
}

/// 2.0-SqNxt-23.
arch sqnxt_23_x2 of squeezenext_23 {
    width = [2]
    groups = [1]
    version = [1]
    expect macs == 742_070_464
    expect params == 2_362_728
    expect params ~= 2.4M
}

/// 2.0-SqNxt-23v5.
arch sqnxt_23v5_x2 of squeezenext_23 {
    width = [2]
    groups = [1]
    version = [5]
    expect macs == 702_592_000
    expect params == 3_223_912
    expect macs ~= 0.71G within 1.1%
    expect params ~= 3.2M
}

expect squeezenext_23.count == 2 * 2 * 2
