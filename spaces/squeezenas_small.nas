//! SqueezeNAS-Small (Shaw et al. 2019): 20 searched layers, 13 candidates each.
//!
//! 55 lines of code; 365 in ashaw596/squeezenas at 0936dca (arch, nets.py:
//! `SqueezeNASNetCityscapes`, its blocks and hyperparameters, both networks; no supernet).
use std.blocks.{conv_bn_relu, inverted_residual, factorized_reduce, relu_conv_bn}
use std.heads.lr_aspp

/// What "skip" means depends on the shape: nothing beside a residual, else the cheapest match.
block skip_to(x, out, stride) {
    if stride == 2 { x -> factorized_reduce(out) }
    else if x.channels == out { zero(x) }
    else { x -> relu_conv_bn(out, kernel = 1) }
}

/// One searched layer. The residual stands outside the choice.
block unit(x, out, stride = 1) {
    let y = x -> choose op {
        for k in [3, 5], (e, g) in [(1, 1), (1, 2), (3, 1), (6, 1)] {
            "k{k}_e{e}_g{g}": inverted_residual(out, stride, kernel = k, expand = e, groups = g)
        }
        for (e, g) in [(1, 1), (1, 2), (3, 1), (6, 1)] {
            "k3_e{e}_g{g}_d2": inverted_residual(out, stride, expand = e, groups = g, dilation = 2)
        }
        skip: skip_to(out, stride)
    }
    if stride == 1 and x.channels == out { x + y } else { y }
}

space squeezenas_small(classes = 19, height = 1024, width = 2048) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    var low = x
    for (channels, repeats, stride) in [(16, 4, 2), (24, 4, 2), (40, 4, 2), (48, 4, 1),
                                        (96, 4, 1)] {
        for i in 0..repeats {
            x = x -> unit(channels, stride = if i == 0 { stride } else { 1 })
        }
        if channels == 24 { low = x }
    }
    let deep = x -> conv_bn_relu(256, kernel = 1)
    output logits = (deep, low) -> lr_aspp(classes, mid = 128, upsample = 8)
}

/// Table 1 of the paper, first row. `expect` is checked by `nasc check`.
arch mac_small of squeezenas_small {
    op = [k3_e1_g2, k3_e1_g1, k3_e1_g1, k3_e1_g2, k5_e6_g1, k3_e1_g1, k3_e1_g1, k3_e1_g2_d2,
          k5_e6_g1, k3_e6_g1_d2, skip, k3_e1_g2, k5_e6_g1, k3_e3_g1_d2, k3_e1_g1_d2, k3_e1_g1_d2,
          k3_e6_g1_d2, k3_e1_g2_d2, k3_e1_g2_d2, k3_e1_g2_d2]
    expect macs == 3_007_512_576
    expect params == 277_598
    expect macs ~= 3.01G
}

/// Fourth row: searched for latency on a Xavier.
arch lat_small of squeezenas_small {
    op = [k3_e1_g1, skip, skip, skip, k3_e6_g1, k3_e6_g1, skip, skip, k5_e6_g1, k3_e6_g1_d2,
          k5_e1_g2, k3_e1_g2, k3_e6_g1_d2, k3_e6_g1_d2, k3_e6_g1_d2, k3_e1_g1_d2, k3_e6_g1_d2,
          k3_e3_g1_d2, k3_e3_g1_d2, k3_e3_g1_d2]
    expect macs == 4_465_098_752
    expect params == 465_774
    expect macs ~= 4.47G
}

expect squeezenas_small.count == 13 ^ 20
expect squeezenas_small.params.min == 102_446
expect squeezenas_small.params.max == 819_166
// Counted on the published search code.
expect squeezenas_small.supernet.macs == 49_298_079_744
expect squeezenas_small.supernet.params == 3_668_366
