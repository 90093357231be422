//! The supernet of SqueezeNAS-Small (Shaw et al. 2019) in the size of the benchmark. The head pools over the whole map: the
//! window of the published one is larger than the map here.
use std.blocks.conv_bn_relu
use std.heads.lr_aspp_global
use squeezenas_units.unit

space squeezenas(classes = 19, size = 256) {
    input image: [3, size, size]
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
    output logits = (deep, low) -> lr_aspp_global(classes, mid = 128, upsample = 8)
}

/// What decides a step: the settings of `spaces/squeezenas_search.nas`.
search bench of squeezenas {
    strategy gumbel { temperature = 5 -> 1 exponential, prune_below = 0.005, mixing = soft }
    minimize cross_entropy + 0.02 * macs / 1G
    weights sgd { rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
    retrain { rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
}
