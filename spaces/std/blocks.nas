//! Blocks of the standard library. Shapes are [channels, height, width].

/// An activation by its name, such as "relu", "hswish" or "identity"; or any block of one tensor.
/// The shape stays.
block activation(x, act) {
    if act == "identity" { x }
    else if act == "relu" { x -> relu }
    else if act == "relu6" { x -> relu6 }
    else if act == "hswish" { x -> hswish }
    else if act == "swish" { x -> swish }
    else if act == "hsigmoid" { x -> hsigmoid }
    else if act == "sigmoid" { x -> sigmoid }
    else { x -> act }
}

/// Convolution, `norm`, `activation`: [C, H, W] -> [out, H / stride, W / stride].
block conv_bn(x, out, kernel, stride = 1, dilation = 1, groups = 1, act = "identity",
              padding = "same", norm = batch_norm) {
    x -> conv(out, kernel, stride, dilation, groups, padding = padding) -> norm -> activation(act)
}

/// Convolution, batch norm, ReLU: [C, H, W] -> [out, H / stride, W / stride].
block conv_bn_relu(x, out, kernel, stride = 1, dilation = 1, groups = 1) {
    x -> conv(out, kernel, stride, dilation, groups) -> batch_norm -> relu
}

/// ReLU, convolution, batch norm (the order of DARTS): [C, H, W] -> [out, H / stride, W / stride].
block relu_conv_bn(x, out, kernel, stride = 1, affine = true) {
    x -> relu -> conv(out, kernel, stride) -> batch_norm(affine = affine)
}

/// Inverted residual without its residual: 1x1 to `expand` times the channels, depthwise, linear
/// 1x1 to `out` (Sandler et al. 2018; grouped 1x1s and dilation as in SqueezeNAS).
/// [C, H, W] -> [out, H / stride, W / stride].
block inverted_residual(x, out, stride = 1, kernel = 3, expand = 6, groups = 1, dilation = 1) {
    let mid = x.channels * expand
    x -> conv_bn_relu(mid, kernel = 1, groups = groups)
        -> conv_bn_relu(mid, kernel = kernel, stride = stride, dilation = dilation, groups = mid)
        -> conv(out, kernel = 1, groups = groups) -> batch_norm
}

/// Halves the size without losing rows: ReLU, then two 1x1 convolutions of stride 2, the second
/// one pixel further, each with its batch norm, joined (SqueezeNAS; an even `out` and size).
/// [C, H, W] -> [out, H / 2, W / 2].
block factorized_reduce(x, out) {
    let y = x -> relu
    let even = y -> conv(out / 2, kernel = 1, stride = 2) -> batch_norm
    let odd = y -> crop(top = 1, left = 1) -> conv(out / 2, kernel = 1, stride = 2) -> batch_norm
    concat(even, odd)
}

/// Weighs channels by what the whole map says of them (Hu et al. 2018): the mean, two 1x1
/// convolutions with `mid` channels between them, a gate. The shape stays.
block squeeze_excite(x, mid, act = "relu", gate = "hsigmoid") {
    let weight = x -> global_avg_pool -> conv(mid, kernel = 1, bias = true) -> activation(act)
        -> conv(x.channels, kernel = 1, bias = true) -> activation(gate)
    x * weight
}

/// Inverted residual with its residual, where the shape allows one (Sandler et al. 2018; Howard et
/// al. 2019): 1x1 to `expand` times the channels, none if that is 1; depthwise; squeeze-and-excite
/// with `se` of the channels if not 0; linear 1x1. `norm` follows each convolution.
/// [C, H, W] -> [out, H / stride, W / stride].
block mbconv(x, out, stride = 1, kernel = 3, expand = 6, act = "relu6", se = 0.0,
             norm = batch_norm) {
    let mid = if expand == 1 { x.channels } else { round_to(x.channels * expand, 8) }
    let wide = if expand == 1 { x } else { x -> conv_bn(mid, kernel = 1, act = act, norm = norm) }
    let deep = wide -> conv_bn(mid, kernel, stride, groups = mid, act = act, norm = norm)
    let gated = if se > 0 { deep -> squeeze_excite(round_to(mid * se, 8)) } else { deep }
    let y = gated -> conv_bn(out, kernel = 1, norm = norm)
    if stride == 1 and x.channels == out { x + y } else { y }
}

/// Depthwise separable convolution (Howard et al. 2017): depthwise, then 1x1, each with batch norm
/// and `activation`. [C, H, W] -> [out, H / stride, W / stride].
block separable_conv(x, out, kernel = 3, stride = 1, act = "relu") {
    x -> conv_bn(x.channels, kernel, stride, groups = x.channels, act = act)
        -> conv_bn(out, kernel = 1, act = act)
}

/// ReLU, dilated depthwise convolution, 1x1, batch norm (DARTS).
/// [C, H, W] -> [out, H / stride, W / stride].
block dil_conv(x, out, kernel, stride = 1, dilation = 1, affine = true) {
    x -> relu -> conv(x.channels, kernel, stride, dilation, groups = x.channels)
        -> conv(out, kernel = 1) -> batch_norm(affine = affine)
}

/// The separable convolution of NASNet and DARTS: ReLU, depthwise, 1x1, batch norm, twice; the
/// first with the stride. [C, H, W] -> [out, H / stride, W / stride].
block sep_conv(x, out, kernel, stride = 1, dilation = 1, affine = true) {
    x -> dil_conv(out, kernel, stride, dilation, affine)
        -> dil_conv(out, kernel, 1, dilation, affine)
}

/// Halves the size without losing rows: `activation`, two 1x1 convolutions of stride 2, the second
/// one pixel further, joined, batch norm (NASNet, DARTS). If `out` is odd, the last channel is one
/// of zeros. [C, H, W] -> [out, H / 2, W / 2].
block factorized_reduce_bn(x, out, act = "relu", affine = true) {
    let y = x -> activation(act)
    let even = y -> conv(out / 2, kernel = 1, stride = 2)
    let odd = y -> crop(top = 1, left = 1)
        -> conv(out / 2, kernel = 1, stride = 2, padding = ((0, 0), (x.height % 2, x.width % 2)))
    let joined = concat(even, odd)
    (if out % 2 == 0 { joined } else { joined -> channel_pad(after = 1) })
        -> batch_norm(affine = affine)
}

/// `drop_path` at a rate that may be 0: then `x` itself. The shape stays.
block dropped(x, rate) { if rate > 0 { x -> drop_path(rate) } else { x } }

/// Pooling, "max" or "avg": [C, H, W] -> [C, H / stride, W / stride].
block pool(x, kind, kernel, stride = 1) {
    if kind == "max" { x -> max_pool(kernel, stride, padding = "same") }
    else { x -> avg_pool(kernel, stride, padding = "same") }
}

/// `pool`, then batch norm without scale and shift (the search networks of DARTS).
/// [C, H, W] -> [C, H / stride, W / stride].
block pool_bn(x, kind, kernel, stride = 1) {
    x -> pool(kind, kernel, stride) -> batch_norm(affine = false)
}
