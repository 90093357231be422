//! The cells of NASNet (Zoph et al. 2018), which AmoebaNet and PNAS search too. Shapes are
//! [channels, height, width].
use std.blocks.{activation, conv_bn, relu_conv_bn, sep_conv, dil_conv, dropped,
                factorized_reduce_bn, pool}

/// `x` in the size of `like`, with c channels; `x` itself if it is so already.
block fit(x, like, c, act = "relu") {
    if x.height != like.height { x -> factorized_reduce_bn(c, act) }
    else if x.channels != c { x -> activation(act) -> conv_bn(c, kernel = 1) }
    else { x }
}

/// Pooling, "max" or "avg"; a 1x1 convolution after it where the channels change.
/// [C, H, W] -> [c, H / stride, W / stride].
block pool_to(x, c, kind, kernel, stride) {
    let y = x -> pool(kind, kernel, stride)
    if x.channels == c { y } else { y -> conv_bn(c, kernel = 1) }
}

/// Kernels one after the other on a quarter of the channels, each with its stride.
/// [C, H, W] -> [c, H / stride, W / stride].
block squeezed(x, c, kernels) {
    var y = x -> relu_conv_bn(c / 4, kernel = 1)
    for (kernel, stride) in kernels { y = y -> relu_conv_bn(c / 4, kernel, stride) }
    y -> relu_conv_bn(c, kernel = 1)
}

/// An operator by its kind and the size of its kernel, such as "sep" and 3; "line" is a line of k
/// pixels, then one across it. [C, H, W] -> [c, H / stride, W / stride].
block cell_op(x, kind, k, c, stride) {
    if kind == "conv" and k == 1 { x -> relu_conv_bn(c, k, stride) }
    else if kind == "conv" { x -> squeezed(c, [(k, stride)]) }
    else if kind == "line" { x -> squeezed(c, [((1, k), (1, stride)), ((k, 1), (stride, 1))]) }
    else if kind == "sep" { x -> sep_conv(c, k, stride) }
    else if kind == "dil" { x -> dil_conv(c, k, stride, dilation = 2) }
    else if kind == "dil_sep" { x -> sep_conv(c, k, stride, dilation = 2) }
    else { x -> pool_to(c, kind, k, stride) }
}

/// The input, fitted by a 1x1 convolution if it has another shape than the result.
block identity_to(x, c, stride) {
    if stride == 1 and x.channels == c { x } else { x -> relu_conv_bn(c, kernel = 1, stride) }
}

/// One of the operators, all but the identity dropped at the rate `drop`.
/// [C, H, W] -> [c, H / stride, W / stride].
block operator(x, c, stride, ops, drop) {
    x -> choose op {
        identity: identity_to(c, stride)
        for (kind, k) in ops { "{kind}_{k}": cell_op(kind, k, c, stride) -> dropped(drop) }
    }
}

/// A cell: five states, each the sum of two operators on states before it. State 0 is the last cell,
/// state 1 the one before it, in its size; only these are strided over. The states that `joined`
/// numbers are the result; if it is empty, the new ones that no other reads.
block nodes(last, second, c, stride, ops, joined, drop) {
    var states = [last -> relu_conv_bn(c, kernel = 1), second]
    for _n in 0..5 {
        let sides = [for _side in 0..2 {
            choose from {
                for i in 0..len(states) {
                    "{i}": states[i] -> operator(c, if i < 2 { stride } else { 1 }, ops, drop)
                }
            }
        }]
        states = states + [sum(sides)]
    }
    if len(joined) == 0 { concat(loose_ends(states[2..])) }
    else { concat([for i in joined { (states[i], states[6]) -> fit(c, act = "identity") }]) }
}

/// The cell that keeps the size.
cell normal(last, second, c, ops, joined, drop) {
    (last, second) -> nodes(c, 1, ops, joined, drop)
}

/// The cell that halves the size.
cell reduction(last, second, c, ops, joined, drop) {
    (last, second) -> nodes(c, 2, ops, joined, drop)
}

/// The network of the papers: `repeats` normal cells with `filters` channels, a reduction to twice
/// the channels, as many normal cells, once more both; then the classes. With `stem` channels, for
/// large images, a convolution and two reductions come before that; without, one convolution. If
/// `skips`, the cell after a reduction reads what the reduction reads, for the cell before the last.
/// `drop` is the rate of the drop paths in the last cell; those before it have less, evenly.
/// Beside the classes what an auxiliary head reads, the cell before the last reduction.
block cell_network(x, ops, filters, repeats, classes, joined, stem = 0, skips = false, drop = 0.0) {
    let start = if stem > 0 {
        x -> conv_bn(stem, kernel = 3, stride = 2, padding = "valid")
    } else {
        x -> conv_bn(3 * filters, kernel = 3)
    }
    let plan = (if stem > 0 { [(true, filters / 4), (true, filters / 2)] } else { [] })
        + [for _i in 0..repeats { (false, filters) }]
        + [for c in [2 * filters, 4 * filters], i in 0..repeats + 1 { (i == 0, c) }]
    var (last, before, tapped) = (start, start, start)
    for i in 0..len(plan) {
        let (reduces, c) = plan[i]
        let rate = drop * (i + 1) / len(plan)
        if reduces { tapped = last }
        let second = if i == 0 { last } else { (before, last) -> fit(c) }
        let out = if reduces {
            (last, second) -> reduction(c, ops, joined[1], rate)
        } else {
            (last, second) -> normal(c, ops, joined[0], rate)
        }
        if not (reduces and skips and c > filters) { before = last }
        last = out
    }
    (last -> relu -> global_avg_pool -> dropout -> linear(classes), tapped)
}
