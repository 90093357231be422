//! DARTS (Liu et al. 2019), for CIFAR-10 and ImageNet: a normal and a reduction cell of four nodes,
//! each the sum of two of the states before it through one of seven operators.
//!
//! 122 lines of code; 414 in NNI 3.0 (nas/hub/pytorch/nasnet.py: `DARTS`, `NDS`, their cells,
//! operators and auxiliary head).
use std.blocks.{conv_bn, conv_bn_relu, sep_conv, dil_conv, dropped, relu_conv_bn,
                factorized_reduce_bn, pool, pool_bn}
use std.heads.auxiliary_head

/// One edge: the operators of the paper, all but the identity dropped at the rate `drop`. `none` of
/// a network is an edge that `choose 2` below leaves out; only what the search trains, `relaxed`,
/// has it. [c, H, W] -> [c, H / stride, W / stride].
block edge(x, c, stride, relaxed, drop) {
    let affine = not relaxed
    let pooling = if relaxed { pool_bn } else { pool }
    x -> choose op {
        none: max_pool(1, stride = stride) -> zero if relaxed
        max_pool_3: pooling("max", 3, stride) -> dropped(drop)
        avg_pool_3: pooling("avg", 3, stride) -> dropped(drop)
        skip: if stride == 1 {
            identity
        } else {
            factorized_reduce_bn(c, affine = affine) -> dropped(drop)
        }
        for k in [3, 5] {
            "sep_{k}": sep_conv(c, k, stride, affine = affine) -> dropped(drop)
        }
        for k in [3, 5] {
            "dil_{k}": dil_conv(c, k, stride, dilation = 2, affine = affine) -> dropped(drop)
        }
    }
}

/// `x` in the size of `like`, with c channels (after a reduction, `x` is twice as large).
block align(x, like, c, affine) {
    if x.height == like.height { x -> relu_conv_bn(c, kernel = 1, affine = affine) }
    else { x -> factorized_reduce_bn(c, affine = affine) }
}

/// Four nodes from the cell before the last and the last, each the sum of two edges from what is
/// before it, or of all if `relaxed`. [C, H, W] -> [4 * c, H / stride, W / stride].
block nodes(older, newer, c, stride, relaxed, drop) {
    let affine = not relaxed
    var states = [
        (older, newer) -> align(c, affine),
        newer -> relu_conv_bn(c, kernel = 1, affine = affine),
    ]
    for _n in 0..4 {
        let strides = [for i in 0..len(states) { if i < 2 { stride } else { 1 } }]
        let incoming = if relaxed {
            [for i in 0..len(states) { states[i] -> edge(c, strides[i], relaxed, drop) }]
        } else {
            choose 2 from {
                for i in 0..len(states) { "{i}": states[i] -> edge(c, strides[i], relaxed, drop) }
            }
        }
        states = states + [sum(incoming)]
    }
    concat(states[2..])
}

/// The cell that keeps the size.
cell normal(older, newer, c, relaxed, drop = 0.0) {
    (older, newer) -> nodes(c, 1, relaxed, drop)
}

/// The cell that halves the size.
cell reduction(older, newer, c, relaxed, drop = 0.0) {
    (older, newer) -> nodes(c, 2, relaxed, drop)
}

/// The cells of a network in a row, a reduction at each third; then the classes. Beside these what
/// an auxiliary head reads, the second reduction.
block stack(first, second, width, layers, classes, relaxed = false, drop = 0.0) {
    var (older, newer, c) = (first, second, width)
    var reduced = second
    for layer in 0..layers {
        let reduce = layer == layers / 3 or layer == 2 * layers / 3
        if reduce { c = 2 * c }
        let out = if reduce {
            (older, newer) -> reduction(c, relaxed, drop)
        } else {
            (older, newer) -> normal(c, relaxed, drop)
        }
        older = newer
        newer = out
        if reduce { reduced = out }
    }
    (newer -> global_avg_pool -> linear(classes), reduced)
}

/// For CIFAR-10: the size of the search. The networks that it derives are wider and deeper, and
/// their paths are dropped, at a rate that grows with `retrain { drop_path = 0 -> 1 }`.
space darts(classes = 10, size = 32, width = 16, layers = 8, drop = 0.0) {
    input image: [3, size, size]
    task classification(classes)
    let stem = image -> conv_bn(3 * width, kernel = 3)
    let (logits, reduced) = (stem, stem) -> stack(width, layers, classes, drop = drop)
    output logits = logits
    train output aux = reduced -> auxiliary_head(classes)
}

/// For ImageNet: an eighth of the size before the first cell.
space darts_imagenet(classes = 1000, size = 224, width = 48, layers = 14) {
    input image: [3, size, size]
    task classification(classes)
    let older = image -> conv_bn_relu(width / 2, kernel = 3, stride = 2)
        -> conv_bn(width, kernel = 3, stride = 2)
    let newer = older -> relu_conv_bn(width, kernel = 3, stride = 2)
    let (logits, reduced) = (older, newer) -> stack(width, layers, classes)
    output logits = logits
    train output aux = reduced -> auxiliary_head(classes, stride = 2, norm = false)
}

/// What the search trains: all edges, `none` among their operators, batch norm without scale and
/// shift.
space darts_relaxed(classes = 10, size = 32, width = 16, layers = 8) {
    input image: [3, size, size]
    task classification(classes)
    let stem = image -> conv_bn(3 * width, kernel = 3)
    let (logits, _reduced) = (stem, stem) -> stack(width, layers, classes, relaxed = true)
    // allow nas::space::ignores_input as the paper has it: `none` on all edges is in the space
    output logits = logits
}

/// Its cells alone, as the paper counts them: one of eight operators on each of 14 edges.
space darts_relaxed_cells(size = 32, width = 16) {
    input older: [4 * width, size, size]
    input newer: [4 * width, size, size]
    // allow nas::space::ignores_input likewise
    output kept = (older, newer) -> normal(width, relaxed = true)
    output halved = (older, newer) -> reduction(width, relaxed = true)
}

/// DARTS V2 on CIFAR-10 (table 1 of the paper).
arch v2_cifar of darts(width = 36, layers = 20, drop = 0.2) {
    from = [[0, 1], [0, 1], [0, 1], [0, 2], [0, 1], [1, 2], [0, 2], [1, 2]]
    op = [sep_3, sep_3, sep_3, sep_3, skip, sep_3, skip, dil_3, max_pool_3, max_pool_3, max_pool_3,
          skip, max_pool_3, skip, max_pool_3, skip]
    expect params == 3_349_342
    expect macs == 528_359_040
    expect params ~= 3.3M
}

/// DARTS V2 on ImageNet (table 3).
arch v2_imagenet of darts_imagenet {
    from = [[0, 1], [0, 1], [0, 1], [0, 2], [0, 1], [1, 2], [0, 2], [1, 2]]
    op = [sep_3, sep_3, sep_3, sep_3, skip, sep_3, skip, dil_3, max_pool_3, max_pool_3, max_pool_3,
          skip, max_pool_3, skip, max_pool_3, skip]
    expect params == 4_718_752
    expect macs == 529_911_552
    expect macs ~= 574M within 7.7%
    expect params ~= 4.7M
}

expect darts.count == 1_037_664_180 ^ 2
expect darts_relaxed_cells.count == (8 ^ 14) ^ 2
// Counted on the published search code, in which every edge has its operators.
expect darts_relaxed.supernet.params == 1_930_618
expect darts_relaxed.supernet.macs == 300_255_744
// A normal cell with `none` on all edges from its inputs leaves nothing of the reduction cell.
expect darts_relaxed.count == (8 ^ 14 - 8 ^ 6) * 8 ^ 14 + 8 ^ 6
