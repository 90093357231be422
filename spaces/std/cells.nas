//! The cells of NASNet (Zoph et al. 2018), which AmoebaNet and PNAS search too. Shapes are
//! [channels, height, width].
use std.blocks.{activation, conv_bn, relu_conv_bn, sep_conv, dil_conv, factorized_reduce_bn}

/// `x` in the size of `like`, with c channels; `x` itself if it is so already.
block fit(x, like, c, act = "relu") {
    if x.height != like.height { x -> factorized_reduce_bn(c, act) }
    else if x.channels != c { x -> activation(act) -> conv_bn(c, kernel = 1) }
    else { x }
}

/// Pooling; a 1x1 convolution after it where the channels change.
block pool_to(x, c, kind, kernel, stride) {
    let y = if kind == "max" {
        x -> max_pool(kernel, stride, padding = "same")
    } else {
        x -> avg_pool(kernel, stride, padding = "same")
    }
    if x.channels == c { y } else { y -> conv_bn(c, kernel = 1) }
}

/// A kernel on a quarter of the channels, or two kernels in a row.
block squeezed(x, c, kernels, strides) {
    var y = x -> relu_conv_bn(c / 4, kernel = 1)
    for i in 0..len(kernels) { y = y -> relu_conv_bn(c / 4, kernels[i], strides[i]) }
    y -> relu_conv_bn(c, kernel = 1)
}

/// An operator by its name: [C, H, W] -> [c, H / stride, W / stride].
block cell_op(x, op, c, stride) {
    if op == "identity" {
        if stride == 1 and x.channels == c { x } else { x -> relu_conv_bn(c, kernel = 1, stride) }
    } else if op == "conv_1" {
        x -> relu_conv_bn(c, kernel = 1, stride)
    } else if op == "conv_3" {
        x -> squeezed(c, [3], [stride])
    } else if op == "conv_1x3_3x1" {
        x -> squeezed(c, [(1, 3), (3, 1)], [(1, stride), (stride, 1)])
    } else if op == "conv_1x7_7x1" {
        x -> squeezed(c, [(1, 7), (7, 1)], [(1, stride), (stride, 1)])
    } else if op == "sep_3" {
        x -> sep_conv(c, kernel = 3, stride)
    } else if op == "sep_5" {
        x -> sep_conv(c, kernel = 5, stride)
    } else if op == "sep_7" {
        x -> sep_conv(c, kernel = 7, stride)
    } else if op == "dil_3" {
        x -> dil_conv(c, kernel = 3, stride, dilation = 2)
    } else if op == "dil_sep_3" {
        x -> sep_conv(c, kernel = 3, stride, dilation = 2)
    } else if op == "dil_sep_5" {
        x -> sep_conv(c, kernel = 5, stride, dilation = 2)
    } else if op == "avg_3" {
        x -> pool_to(c, "avg", 3, stride)
    } else if op == "max_2" {
        x -> pool_to(c, "max", 2, stride)
    } else if op == "max_3" {
        x -> pool_to(c, "max", 3, stride)
    } else if op == "max_5" {
        x -> pool_to(c, "max", 5, stride)
    } else {
        x -> pool_to(c, "max", 7, stride)
    }
}

/// A state that is chosen from those before, and what one of the operators makes of it.
block operand(states, c, stride, ops) {
    choose from {
        for i in 0..len(states) {
            "{i}": states[i] -> choose op {
                for op in ops { "{op}": cell_op(op, c, stride = if i < 2 { stride } else { 1 }) }
            }
        }
    }
}

/// A cell: five states, each the sum of two operators on states before it. State 0 is the last cell,
/// state 1 the one before it. The states that `joined` numbers are the result; if it is empty, those
/// that no other state reads.
block nodes(last, second, c, stride, ops, joined) {
    var states = [last -> relu_conv_bn(c, kernel = 1), second]
    for _n in 0..5 {
        states = states + [sum([for _side in 0..2 { operand(states, c, stride, ops) }])]
    }
    if len(joined) == 0 { concat(loose_ends(states[2..])) }
    else { concat([for i in joined { (states[i], states[6]) -> fit(c, act = "identity") }]) }
}

/// The cell that keeps the size.
cell normal(last, second, c, ops, joined) { (last, second) -> nodes(c, 1, ops, joined) }

/// The cell that halves the size.
cell reduction(last, second, c, ops, joined) { (last, second) -> nodes(c, 2, ops, joined) }

/// The network of the papers: `repeats` normal cells with `filters` channels, a reduction to twice
/// the channels, as many normal cells, once more both; then the classes. With `stem` channels, for
/// large images, a convolution and two reductions come before that; without, one convolution. If
/// `skips`, the cell after a reduction reads what the reduction reads, for the cell before the last.
block cell_network(x, ops, filters, repeats, classes, joined, stem = 0, skips = false) {
    let start = if stem > 0 {
        x -> conv_bn(stem, kernel = 3, stride = 2, padding = "valid")
    } else {
        x -> conv_bn(3 * filters, kernel = 3)
    }
    let plan = (if stem > 0 { [(true, filters / 4), (true, filters / 2)] } else { [] })
        + [for _i in 0..repeats { (false, filters) }]
        + [for c in [2 * filters, 4 * filters], i in 0..repeats + 1 { (i == 0, c) }]
    var (last, before, is_first) = (start, start, true)
    for (reduces, c) in plan {
        let second = if is_first { last } else { (before, last) -> fit(c) }
        let out = if reduces {
            (last, second) -> reduction(c, ops, joined[1])
        } else {
            (last, second) -> normal(c, ops, joined[0])
        }
        if not (reduces and skips and c > filters) { before = last }
        last = out
        is_first = false
    }
    last -> relu -> global_avg_pool -> dropout -> linear(classes)
}
