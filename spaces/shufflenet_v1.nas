//! ShuffleNet (Zhang et al. 2018): two numbers of groups, four widths. The published figures and
//! the channels of the first convolution are those of the authors' PyTorch code.
//!
//! 97 lines of code; 155 in pytorchcv 0.0.74 (models/shufflenet.py: `ShuffleNet`, its blocks, `get_shufflenet`).
use std.blocks.conv_bn_relu
use std.mobile.shuffle_unit

space shufflenet_v1(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)

    let groups = choose groups [3, 8]
    let width = choose width [0.5, 1, 1.5, 2]
    let stem = if width == 2 {
        48
    } else if width > 0.5 {
        24
    } else if groups == 3 {
        12
    } else {
        16
    }
    let base = if groups == 3 { 240 } else { 384 }

    var x = image -> conv_bn_relu(stem, kernel = 3, stride = 2)
        -> max_pool(3, stride = 2, padding = "same")
    for (stage, repeats) in [(0, 4), (1, 8), (2, 4)] {
        let out = round_to(base * width * 2 ^ stage, 8)
        x = x -> repeat repeats as i {
            shuffle_unit(
                out,
                groups,
                stride = if i == 0 { 2 } else { 1 },
                first_groups = if stage == 0 and i == 0 { 1 } else { groups },
            )
        }
    }
    output logits = x -> global_avg_pool -> linear(classes, bias = false)
}

arch g3_x050 of shufflenet_v1 {
    groups = [3]
    width = [0.5]
    expect macs == 37_589_856
    expect params == 717_324
    expect macs ~= 38M
    expect params ~= 0.7M
}

arch g3_x100 of shufflenet_v1 {
    groups = [3]
    width = [1]
    expect macs == 137_460_672
    expect params == 1_864_728
    expect macs ~= 138M within 0.4%
    expect params ~= 1.9M
}

arch g3_x150 of shufflenet_v1 {
    groups = [3]
    width = [1.5]
    expect macs == 292_443_552
    expect params == 3_441_168
    expect macs ~= 292M
    expect params ~= 3.4M
}

arch g3_x200 of shufflenet_v1 {
    groups = [3]
    width = [2]
    expect macs == 524_045_184
    expect params == 5_449_776
    expect macs ~= 524M
    expect params ~= 5.4M
}

arch g8_x050 of shufflenet_v1 {
    groups = [8]
    width = [0.5]
    expect macs == 40_469_760
    expect params == 1_010_448
    expect macs ~= 40M
    expect params ~= 1.0M
}

arch g8_x100 of shufflenet_v1 {
    groups = [8]
    width = [1]
    expect macs == 138_365_952
    expect params == 2_433_768
    expect macs ~= 138M
    expect params ~= 2.4M
}

arch g8_x150 of shufflenet_v1 {
    groups = [8]
    width = [1.5]
    expect macs == 290_188_800
    expect params == 4_268_952
    expect macs ~= 290M
    expect params ~= 4.3M
}

arch g8_x200 of shufflenet_v1 {
    groups = [8]
    width = [2]
    expect macs == 521_942_016
    expect params == 6_521_232
    expect macs ~= 522M
    expect params ~= 6.5M
}

expect shufflenet_v1.count == 2 * 4
