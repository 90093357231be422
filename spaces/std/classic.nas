//! Blocks of hand-designed networks for classification. Shapes are [channels, height, width].
use std.blocks.{conv_bn, conv_bn_relu}

/// Convolution with bias, ReLU: [C, H, W] -> [out, H', W'], its size that of `conv`.
block conv_relu(x, out, kernel, stride = 1, padding = "same") {
    x -> conv(out, kernel, stride, padding = padding, bias = true) -> relu
}

/// Fire module of SqueezeNet (Iandola et al. 2016): 1x1 to `squeeze` channels, then 1x1 beside 3x3,
/// each to `expand`. [C, H, W] -> [2 * expand, H, W].
block fire(x, squeeze, expand) {
    let y = x -> conv_relu(squeeze, kernel = 1)
    concat(y -> conv_relu(expand, kernel = 1), y -> conv_relu(expand, kernel = 3))
}

/// What a residual is added to: the input itself where the shape stays, else a 1x1 convolution of
/// it ("option B" of He et al. 2016). [C, H, W] -> [out, H / stride, W / stride].
block shortcut(x, out, stride = 1) {
    if stride == 1 and x.channels == out { x } else { x -> conv_bn(out, kernel = 1, stride) }
}

/// Basic residual block (He et al. 2016): two 3x3 convolutions.
/// [C, H, W] -> [width, H / stride, W / stride].
block basic_residual(x, width, stride = 1) {
    let y = x -> conv_bn_relu(width, kernel = 3, stride) -> conv_bn(width, kernel = 3)
    (x -> shortcut(width, stride)) + y -> relu
}

/// Bottleneck residual block (He et al. 2016): 1x1, 3x3, 1x1 to four times `width`, the stride in
/// the 3x3 ("v1.5"). [C, H, W] -> [4 * width, H / stride, W / stride].
block bottleneck_residual(x, width, stride = 1) {
    let y = x -> conv_bn_relu(width, kernel = 1) -> conv_bn_relu(width, kernel = 3, stride)
        -> conv_bn(4 * width, kernel = 1)
    (x -> shortcut(4 * width, stride)) + y -> relu
}
