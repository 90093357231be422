//! The searched unit of SqueezeNAS (Shaw et al. 2019, figure 2): 13 candidates.
use std.blocks.{inverted_residual, factorized_reduce, relu_conv_bn}

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
