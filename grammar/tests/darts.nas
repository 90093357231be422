//! DARTS (Liu et al. 2019), CIFAR-10.
use std.blocks.{sep_conv, dil_conv, relu_conv_bn, factorized_reduce_bn, pool_bn}

/// One edge: eight operators of the paper, `none` being the edge left out by `choose 2` below.
block edge(x, c, stride) {
    x -> choose op {
        max_pool_3: pool_bn("max", 3, stride)
        avg_pool_3: pool_bn("avg", 3, stride)
        skip: if stride == 1 { identity() } else { factorized_reduce_bn(c) }
        for k in [3, 5] { "sep_{k}": sep_conv(c, kernel = k, stride = stride) }
        for k in [3, 5] { "dil_{k}": dil_conv(c, kernel = k, stride = stride, dilation = 2) }
    }
}

block nodes(a, b, c, stride) {
    var states = [a, b]
    for n in 0..4 {
        let incoming = choose 2 from {
            for i in 0..len(states) {
                "{i}": states[i] -> edge(c, stride = if i < 2 { stride } else { 1 })
            }
        }
        states = states + [sum(incoming)]
    }
    concat(states[2..])
}

block align(x, like, c) {
    if x.height == like.height { x -> relu_conv_bn(c, kernel = 1) }
    else { x -> factorized_reduce_bn(c) }
}

cell normal(older, newer, c) {
    nodes((older, newer) -> align(c), newer -> relu_conv_bn(c, kernel = 1), c, 1)
}

cell reduction(older, newer, c) {
    nodes((older, newer) -> align(c), newer -> relu_conv_bn(c, kernel = 1), c, 2)
}

space darts(classes = 10, size = 32, width = 16, layers = 8) {
    input image: [3, size, size]
    task classification(classes)
    var c = width
    var older = image -> conv(3 * width, kernel = 3) -> batch_norm
    var newer = older
    for layer in 0..layers {
        let reduce = layer == layers / 3 or layer == 2 * layers / 3
        if reduce { c = 2 * c }
        let out = if reduce { (older, newer) -> reduction(c) } else { (older, newer) -> normal(c) }
        older = newer
        newer = out
    }
    output logits = newer -> global_avg_pool -> linear(classes)
}

expect darts.count == 1_037_664_180 ^ 2
