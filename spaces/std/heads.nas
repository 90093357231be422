//! Heads of the standard library: from features to the answer of a task.
use std.blocks.{conv_bn, conv_bn_relu}

/// What both forms of LR-ASPP share: features gated by a pooled context, plus a skip.
block lr_aspp_fuse(deep, context, low, classes, mid, upsample) {
    let gate = context -> conv(mid, kernel = 1, bias = true) -> sigmoid
        -> resize(size = (deep.height, deep.width))
    let features = (deep -> conv_bn_relu(mid, kernel = 1)) * gate
    let coarse = features -> resize(size = (low.height, low.width))
        -> conv(classes, kernel = 1, bias = true)
    coarse + (low -> conv(classes, kernel = 1, bias = true))
        -> resize(scale = upsample, align_corners = true)
}

/// Lite reduced ASPP (Howard et al. 2019, pooling as SqueezeNAS publishes it): `deep` [C, H, W] is
/// gated by its mean over large windows, added to `low` [C', 2H, 2W] at twice the size, and
/// enlarged by `upsample`. Result: [classes, 2H * upsample, 2W * upsample].
block lr_aspp(deep, low, classes, mid = 128, upsample = 8, pool = (49, 49),
              pool_stride = (16, 20)) {
    let context = deep -> avg_pool(pool, stride = pool_stride)
    (deep, context, low) -> lr_aspp_fuse(classes, mid, upsample)
}

/// LR-ASPP for small images: the gate is the mean over the whole map.
block lr_aspp_global(deep, low, classes, mid = 128, upsample = 8) {
    let context = deep -> global_avg_pool
    (deep, context, low) -> lr_aspp_fuse(classes, mid, upsample)
}

/// A class for each pixel: 1x1 to `classes`, enlarged to `size`. [C, H, W] -> [classes, size].
block pixel_classifier(x, classes, size) {
    x -> conv(classes, kernel = 1, bias = true) -> resize(size = size, align_corners = true)
}

/// `separable_conv` with a dilation: depthwise, then 1x1, each with batch norm and ReLU.
/// [C, H, W] -> [out, H, W].
block atrous_separable_conv(x, out, kernel = 3, dilation = 1) {
    x -> conv_bn_relu(x.channels, kernel, dilation = dilation, groups = x.channels)
        -> conv_bn_relu(out, kernel = 1)
}

/// Atrous spatial pyramid pooling (Chen et al. 2017): the mean over the map, a 1x1 convolution and
/// a 3x3 one at each of `rates`, joined and projected. `branch` makes those at rates:
/// `atrous_separable_conv` in DeepLabV3+. [C, H, W] -> [out, H, W].
block aspp(x, out = 256, rates = [6, 12, 18], branch = conv_bn_relu, drop = 0.1) {
    let context = x -> global_avg_pool -> conv_bn_relu(out, kernel = 1)
        -> resize(size = (x.height, x.width), align_corners = true)
    let point = x -> conv_bn_relu(out, kernel = 1)
    concat([context, point] + [for r in rates { x -> branch(out, kernel = 3, dilation = r) }])
        -> conv_bn_relu(out, kernel = 1) -> dropout(drop)
}

/// The decoder of DeepLabV3+ (Chen et al. 2018): `deep` [C, h, w], enlarged, beside `low`
/// [C', H, W] in `mid` channels, refined by two 3x3 convolutions. Result: [out, H, W].
block deeplab_decoder(deep, low, out = 256, mid = 48, branch = conv_bn_relu) {
    let coarse = deep -> resize(size = (low.height, low.width), align_corners = true)
    concat(coarse, low -> conv_bn_relu(mid, kernel = 1)) -> repeat 2 { branch(out, kernel = 3) }
}

/// The auxiliary head of NASNet (Zoph et al. 2018), for a `train output`: means over windows, 128
/// channels, one convolution over all that is left, classes. `norm` is whether a batch norm follows
/// it. [C, H, W] -> [classes].
block auxiliary_head(x, classes, stride = 3, norm = true) {
    let y = x -> relu -> avg_pool(min(5, x.height, x.width), stride)
        -> conv_bn_relu(128, kernel = 1)
    let whole = (y.height, y.width)
    let z = if norm {
        y -> conv_bn(768, kernel = whole, padding = "valid")
    } else {
        y -> conv(768, kernel = whole, padding = "valid")
    }
    z -> relu -> flatten -> linear(classes)
}
