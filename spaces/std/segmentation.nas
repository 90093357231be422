//! Blocks of networks for semantic segmentation. Shapes are [channels, height, width].
use std.blocks.{activation, conv_bn}

/// Half the size: a 3x3 convolution of stride 2 beside a max pool, joined, batch norm, activation
/// (the first block of ENet, the downsampling block of EDANet). [C, H, W] -> [out, H / 2, W / 2].
block concat_downsample(x, out, bias = false, act = "relu") {
    let fine = x -> conv(out - x.channels, kernel = 3, stride = 2, bias = bias)
    concat(fine, x -> max_pool(2)) -> batch_norm -> activation(act)
}

/// A square convolution as a column and a row: `kernel` x 1, then 1 x `kernel`, nothing between.
/// [C, H, W] -> [out, H, W].
block asymmetric_conv(x, out, kernel = 3, dilation = 1, bias = true) {
    x -> conv(out, kernel = (kernel, 1), dilation = (dilation, 1), bias = bias)
        -> conv(out, kernel = (1, kernel), dilation = (1, dilation), bias = bias)
}

/// The `1x7-7x1` of Inception (Szegedy et al. 2016): a row, then a column, each with batch norm,
/// activation and its share of the stride. [C, H, W] -> [out, H / stride, W / stride].
block conv_bn_pair(x, out, kernel = 7, stride = 1, act = "relu") {
    x -> conv_bn(out, kernel = (1, kernel), stride = (1, stride), act = act)
        -> conv_bn(out, kernel = (kernel, 1), stride = (stride, 1), act = act)
}

/// EDA module (Lo et al. 2019): two asymmetric convolutions, the second dilated, on `growth`
/// channels, joined with the input. [C, H, W] -> [growth + C, H, W].
block eda_module(x, growth = 40, dilation = 1, drop = 0.02) {
    let y = x -> conv(growth, kernel = 1, bias = true) -> batch_norm -> relu
        -> asymmetric_conv(growth) -> batch_norm -> relu
        -> asymmetric_conv(growth, dilation = dilation) -> batch_norm -> relu -> dropout(drop)
    concat(y, x)
}

/// How each bottleneck of ENet ends: 1x1 to the channels of `skip`, dropout of whole channels,
/// `skip` added. [mid, H, W] and [C, H, W] -> [C, H, W].
block enet_merge(x, skip, act, drop) {
    let y = x -> conv_bn(skip.channels, kernel = 1, act = act) -> spatial_dropout(drop)
    skip + y -> activation(act)
}

/// Bottleneck of ENet (Paszke et al. 2016): 1x1 to a quarter of the channels, then a 3x3
/// convolution, or 1x5 and 5x1 if `asymmetric`, then `enet_merge` with the input. The shape stays.
block enet_bottleneck(x, dilation = 1, asymmetric = false, act = prelu, drop = 0.1) {
    let mid = x.channels / 4
    let narrow = x -> conv_bn(mid, kernel = 1, act = act)
    let y = if asymmetric {
        narrow -> conv_bn_pair(mid, kernel = 5, act = act)
    } else {
        narrow -> conv_bn(mid, kernel = 3, dilation = dilation, act = act)
    }
    (y, x) -> enet_merge(act, drop)
}

/// Bottleneck of ENet that halves the size: its first convolution is 2x2 of stride 2, beside it are
/// a max pool and channels of zeros. [C, H, W] -> [out, H / 2, W / 2].
block enet_down(x, out, act = prelu, drop = 0.1) {
    let mid = x.channels / 4
    let y = x -> conv_bn(mid, kernel = 2, stride = 2, act = act, padding = "valid")
        -> conv_bn(mid, kernel = 3, act = act)
    let skip = x -> max_pool(2) -> channel_pad(after = out - x.channels)
    (y, skip) -> enet_merge(act, drop)
}

/// Bottleneck of ENet that doubles the size by a transposed convolution; beside it a 1x1
/// convolution whose values go where `pooled`, the input of the undone pool, has its maxima.
/// [C, H, W] and [C', 2H, 2W] -> [C', 2H, 2W].
block enet_up(x, pooled, act = "relu", drop = 0.1) {
    let mid = x.channels / 4
    let y = x -> conv_bn(mid, kernel = 1, act = act)
        -> conv_transpose(mid, kernel = 3, stride = 2, output_padding = 1) -> batch_norm
        -> activation(act)
    let values = x -> conv_bn(pooled.channels, kernel = 1)
    (y, (values, pooled) -> max_unpool(2)) -> enet_merge(act, drop)
}
