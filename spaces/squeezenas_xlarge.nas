//! SqueezeNAS-XLarge (Shaw et al. 2019): 22 searched layers, 13 candidates each.
//!
//! 70 lines of code with `squeezenas_units`; 365 in ashaw596/squeezenas at 0936dca (arch, nets.py:
//! `SqueezeNASNetCityscapes`, its blocks and hyperparameters, both networks; no supernet).
use std.blocks.conv_bn_relu
use squeezenas_units.unit

/// Atrous spatial pyramid pooling with grouped 3x3 convolutions; the mean over the whole map is
/// joined as it is. [C, H, W] -> [mid, H, W].
block grouped_aspp(x, mid) {
    let context = x -> global_avg_pool -> resize(size = (x.height, x.width), mode = "nearest")
    let pyramid = [for d in [6, 12, 18] {
        x -> conv_bn_relu(mid, kernel = 3, dilation = d, groups = mid)
    }]
    concat([x -> conv_bn_relu(mid, kernel = 1)] + pyramid + [context])
        -> conv_bn_relu(mid, kernel = 1)
}

/// The decoder: `deep` in the size of `low` beside it, a depthwise 3x3, the classes.
block decoder(deep, low, classes, mid, upsample) {
    let coarse = deep -> grouped_aspp(mid)
        -> resize(size = (low.height, low.width), align_corners = true)
    let both = concat(coarse, low -> conv(low.channels, kernel = 1, bias = true))
    both -> conv_bn_relu(both.channels, kernel = 3, groups = both.channels)
        -> conv(classes, kernel = 1, bias = true) -> resize(scale = upsample, align_corners = true)
}

space squeezenas_xlarge(classes = 19, height = 1024, width = 2048) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn_relu(48, kernel = 3, stride = 2)
    var low = x
    for (channels, repeats, stride) in [(24, 1, 1), (32, 4, 2), (48, 4, 2), (96, 4, 2), (144, 4, 1),
                                        (240, 4, 1), (320, 1, 1)] {
        for i in 0..repeats {
            x = x -> unit(channels, stride = if i == 0 { stride } else { 1 })
        }
        if channels == 32 { low = x }
    }
    output logits = (x, low) -> decoder(classes, mid = 160, upsample = 4)
}

/// Table 1 of the paper, third row.
arch mac_xlarge of squeezenas_xlarge {
    op = [k3_e1_g2, k3_e3_g1, k3_e1_g2, k5_e1_g1, k3_e3_g1_d2, k5_e6_g1, k5_e1_g2, k3_e1_g2_d2,
          k3_e3_g1, k5_e6_g1, k3_e3_g1, skip, k3_e1_g2_d2, k5_e6_g1, k3_e1_g1, k5_e6_g1, skip,
          k3_e6_g1_d2, k3_e1_g2_d2, k3_e1_g2_d2, k3_e1_g2_d2, k3_e3_g1_d2]
    expect macs == 21_838_299_136
    expect params == 1_819_563
    expect macs ~= 21.84G
}

/// Sixth row: searched for latency on a Xavier.
arch lat_xlarge of squeezenas_xlarge {
    op = [skip, k3_e3_g1, k3_e3_g1, k3_e3_g1, k3_e1_g1_d2, k3_e6_g1, k3_e3_g1, k5_e6_g1, k5_e1_g2,
          k5_e6_g1, k3_e6_g1, k3_e1_g2_d2, k3_e6_g1, k5_e6_g1, k3_e3_g1_d2, k3_e1_g2_d2, k3_e3_g1,
          k3_e6_g1_d2, k3_e3_g1_d2, k5_e1_g1, k3_e3_g1_d2, k3_e6_g1_d2]
    expect macs == 32_729_202_688
    expect params == 3_059_323
    expect macs ~= 32.73G
}

expect squeezenas_xlarge.count == 13 ^ 22
expect squeezenas_xlarge.params.min == 345_219
expect squeezenas_xlarge.params.max == 5_264_451
// Counted on the published search code.
expect squeezenas_xlarge.supernet.macs == 344_009_867_264
expect squeezenas_xlarge.supernet.params == 26_146_171
