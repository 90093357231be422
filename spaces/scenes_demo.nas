//! A segmentation network of mobile units for 64 x 64 scenes of garments, of at most 8 M multiply-accumulates.
use std.blocks.{conv_bn_relu, inverted_residual}
use std.heads.lr_aspp_global

/// One searched layer. The residual stands outside the choice, so that what skips it leaves only that; where the shape
/// changes, a 1x1 convolution stands for it.
block unit(x, out, stride) {
    let y = x -> choose op {
        k3_e1: inverted_residual(out, stride, expand = 1)
        k3_e3: inverted_residual(out, stride, expand = 3)
        k3_e6: inverted_residual(out, stride, expand = 6)
        k5_e3: inverted_residual(out, stride, kernel = 5, expand = 3)
        k3_e3_d2: inverted_residual(out, stride, expand = 3, dilation = 2)
        skip: if stride == 1 and x.channels == out {
            zero
        } else {
            conv_bn_relu(out, kernel = 1, stride)
        }
    }
    if stride == 1 and x.channels == out { x + y } else { y }
}

space scenes_demo(classes = 11, size = 64, most = 8M) {
    require macs <= most
    input image: [3, size, size]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    var low = x
    for (channels, repeats, stride) in [(16, 2, 1), (24, 3, 2), (40, 3, 1)] {
        for i in 0..repeats {
            x = x -> unit(channels, stride = if i == 0 { stride } else { 1 })
        }
        if channels == 16 { low = x }
    }
    output logits = (x, low) -> lr_aspp_global(classes, mid = 48, upsample = 2)
}

expect scenes_demo.count == 6 ^ 8

/// A network that costs twice the limit, for what it would be worth.
arch k3_e3 of scenes_demo(most = 16M) {
    op = [k3_e3, k3_e3, k3_e3, k3_e3, k3_e3, k3_e3, k3_e3, k3_e3]
}

search demo of scenes_demo {
    strategy proxyless { gradient = reinforce }
    minimize cross_entropy + 0.1 * max(0, macs / 1M - 8)
    data scenes { path = "data/scenes", flip = true, batch = 8 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.03 }
    schedule { epochs = 10, warmup = 5 }
    derive { sample = 12 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16 }
}

/// What chance finds under the same limit: 64 networks that are drawn uniformly, each trained as the demo's is.
search random of scenes_demo {
    strategy random {}
    score { by = train, epochs = 12 }
    data scenes { path = "data/scenes", flip = true, batch = 16 }
    derive { sample = 64 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16 }
}

/// The same networks by a proxy, for `nasc rank`.
search proxies of scenes_demo {
    strategy random {}
    score { by = proxy, proxies = [snip], images = 64 }
    data scenes { path = "data/scenes", flip = true, batch = 16 }
    derive { sample = 64 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16 }
}

/// And by the weights of one supernet.
search inherited of scenes_demo {
    strategy random {}
    score { by = inherited }
    data scenes { path = "data/scenes", flip = true, batch = 8 }
    weights sgd { rate = 0.05 -> 0 }
    schedule { epochs = 12, paths = uniform }
    derive { sample = 64 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16 }
}
