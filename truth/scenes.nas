//! The space of `scenes_demo.nas` without its limit, each stage of which has units of one kind: 6^3 networks that differ by more than chance.
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

cell first(x, out, stride) { x -> unit(out, stride) }

cell second(x, out, stride) { x -> unit(out, stride) }

cell third(x, out, stride) { x -> unit(out, stride) }

space scenes(classes = 11, size = 64) {
    input image: [3, size, size]
    task segmentation(classes, ignore = 255)

    let stem = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    let low = stem -> first(16, stride = 1) -> first(16, stride = 1)
    let middle = low -> second(24, stride = 2) -> second(24, stride = 1) -> second(24, stride = 1)
    let high = middle -> third(40, stride = 1) -> third(40, stride = 1) -> third(40, stride = 1)
    output logits = (high, low) -> lr_aspp_global(classes, mid = 48, upsample = 2)
}

expect scenes.count == 6 ^ 3

/// Trains 60 networks on their own, drawn uniformly.
search truth of scenes {
    strategy random {}
    score { by = train, epochs = 12 }
    data scenes { path = "../spaces/data/scenes", flip = true, batch = 16 }
    derive { sample = 60 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16, initial = pytorch }
}

/// Scores the same networks by proxies, for `nasc rank`, which takes their vote: `--set 'score.proxies=[naswot]'` takes one of them.
search proxies of scenes {
    strategy random {}
    score {
        by = proxy
        proxies = [synflow, naswot, zen, grad_norm, jacob_cov, snip, grasp]
        images = 64
    }
    data scenes { path = "../spaces/data/scenes", flip = true, batch = 16 }
    derive { sample = 60 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16, initial = pytorch }
}

/// And by the weights of one supernet.
search inherited of scenes {
    strategy random {}
    score { by = inherited }
    data scenes { path = "../spaces/data/scenes", flip = true, batch = 8 }
    weights sgd { rate = 0.05 -> 0, initial = pytorch }
    schedule { epochs = 36, paths = uniform }
    derive { sample = 60 }
    retrain { epochs = 12, rate = 0.1 -> 0 cosine, batch = 16, initial = pytorch }
}
