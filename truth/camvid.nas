//! Road scenes at 120 x 160 with the units of SqueezeNAS: is a search for latency worth more than one for MACs?
use std.blocks.{conv_bn_relu, factorized_reduce, inverted_residual, relu_conv_bn}
use std.heads.lr_aspp_global

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

/// A machine, on one thread of tract: `camvid.lat` is what `nasc latency measure` wrote on it; measure yours anew.
target host {
    precision fp32
    latency table "camvid.lat"
}

space camvid(classes = 11, height = 120, width = 160) for host {
    input image: [3, height, width]
    task segmentation(classes, ignore = 11)

    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    var low = x
    for (channels, repeats, stride) in [(16, 2, 2), (24, 3, 2), (40, 3, 1)] {
        for i in 0..repeats {
            x = x -> unit(channels, stride = if i == 0 { stride } else { 1 })
        }
        if channels == 16 { low = x }
    }
    let deep = x -> conv_bn_relu(96, kernel = 1)
    output logits = (deep, low) -> lr_aspp_global(classes, mid = 48, upsample = 4)
}

expect camvid.count == 13 ^ 8

/// Weighs the latency on this machine.
search by_latency of camvid {
    strategy proxyless { gradient = reinforce, networks = 4 }
    minimize cross_entropy + 0.5 * latency / 7.5ms
    data camvid { path = "camvid", flip = true, batch = 8 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.03 }
    schedule { epochs = 10, warmup = 5, split = 0.8 }
    derive { sample = 24 }
    retrain { epochs = 15, rate = 0.1 -> 0 cosine, batch = 8 }
}

/// Weighs MACs by as much: both terms have the mean 0.5 over the space.
search by_macs of camvid {
    strategy proxyless { gradient = reinforce, networks = 4 }
    minimize cross_entropy + 0.5 * macs / 22.4M
    data camvid { path = "camvid", flip = true, batch = 8 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.03 }
    schedule { epochs = 10, warmup = 5, split = 0.8 }
    derive { sample = 24 }
    retrain { epochs = 15, rate = 0.1 -> 0 cosine, batch = 8 }
}

/// What chance finds: networks that are drawn uniformly, each trained as those are.
search random of camvid {
    strategy random {}
    score { by = train, epochs = 15 }
    data camvid { path = "camvid", flip = true, batch = 8 }
    derive { sample = 8, keep = 1 }
    retrain { epochs = 15, rate = 0.1 -> 0 cosine, batch = 8 }
}
