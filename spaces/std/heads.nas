//! Heads of the standard library: from features to the answer of a task.
use std.blocks.conv_bn_relu

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
