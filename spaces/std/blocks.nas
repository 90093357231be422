//! Blocks of the standard library. Shapes are [channels, height, width].

/// Convolution, batch norm, ReLU: [C, H, W] -> [out, H / stride, W / stride].
block conv_bn_relu(x, out, kernel, stride = 1, dilation = 1, groups = 1) {
    x -> conv(out, kernel, stride, dilation, groups) -> batch_norm -> relu
}

/// ReLU, convolution, batch norm (the order of DARTS): [C, H, W] -> [out, H / stride, W / stride].
block relu_conv_bn(x, out, kernel, stride = 1) {
    x -> relu -> conv(out, kernel, stride) -> batch_norm
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
