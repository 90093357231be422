//! SqueezeNAS-Large (Shaw et al. 2019): 22 searched layers, 13 candidates each.
//!
//! 56 lines of code with `squeezenas_units`; 368 in ashaw596/squeezenas at 0936dca (arch, nets.py:
//! `SqueezeNASNetCityscapes`, its blocks and hyperparameters, both networks; no supernet).
use std.blocks.conv_bn_relu
use std.heads.lr_aspp
use squeezenas_units.unit

space squeezenas_large(classes = 19, height = 1024, width = 2048) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    var low = x
    for (channels, repeats, stride) in [(16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (96, 4, 1),
                                        (160, 4, 1), (160, 1, 1)] {
        for i in 0..repeats {
            x = x -> unit(channels, stride = if i == 0 { stride } else { 1 })
        }
        if channels == 32 { low = x }
    }
    output logits = (x, low) -> lr_aspp(classes, mid = 128, upsample = 8)
}

/// Table 1 of the paper, second row.
arch mac_large of squeezenas_large {
    op = [k3_e1_g2, k3_e6_g1, k3_e1_g2_d2, k3_e1_g2, k3_e1_g2, k5_e6_g1, k5_e6_g1, k3_e6_g1_d2,
          k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e1_g1, k3_e3_g1, k5_e6_g1, k3_e1_g1, k5_e1_g1,
          k3_e3_g1_d2, k3_e6_g1_d2, k3_e1_g2_d2, k3_e1_g2_d2, k3_e1_g2_d2, k3_e1_g1_d2]
    expect macs == 9_386_147_840
    expect params == 704_382
    expect macs ~= 9.39G
}

/// Fifth row: searched for latency on a Xavier.
arch lat_large of squeezenas_large {
    op = [skip, k3_e6_g1, k3_e3_g1, k3_e1_g1_d2, k3_e3_g1, k5_e6_g1, k3_e6_g1, k3_e3_g1,
          k3_e6_g1_d2, k5_e6_g1, k5_e1_g1, k5_e1_g1, k5_e1_g2, k3_e6_g1_d2, k3_e6_g1_d2,
          k3_e6_g1_d2, k3_e1_g1, k3_e6_g1_d2, k3_e6_g1_d2, k3_e6_g1_d2, k3_e6_g1_d2, k3_e6_g1_d2]
    expect macs == 19_574_636_544
    expect params == 1_918_734
    expect macs ~= 19.57G
}

expect squeezenas_large.count == 13 ^ 22
expect squeezenas_large.params.min == 68_230
expect squeezenas_large.params.max == 2_323_446
// Counted on the published search code.
expect squeezenas_large.supernet.macs == 139_209_031_680
expect squeezenas_large.supernet.params == 11_581_606
