//! Blocks of small hand-designed networks. Shapes are [channels, height, width].
use std.blocks.{conv_bn, conv_bn_relu}
use std.classic.shortcut

/// Unit of ShuffleNet (Zhang et al. 2018): grouped 1x1, shuffle, depthwise 3x3, grouped 1x1. At
/// stride 1 the input is added, at stride 2 its average pool is joined to `out - C` new channels.
/// `first_groups` are those of the first 1x1. [C, H, W] -> [out, H / stride, W / stride].
block shuffle_unit(x, out, groups, stride = 1, first_groups = groups) {
    let mid = out / 4
    let deep = x -> conv_bn_relu(mid, kernel = 1, groups = first_groups) -> channel_shuffle(groups)
        -> conv_bn(mid, kernel = 3, stride, groups = mid)
    if stride == 1 {
        x + (deep -> conv_bn(out, kernel = 1, groups = groups)) -> relu
    } else {
        let pooled = x -> avg_pool(3, stride, padding = "same", count_include_pad = true)
        concat(pooled, deep -> conv_bn(out - x.channels, kernel = 1, groups = groups, act = "relu"))
    }
}

/// Block of SqueezeNext (Gholami et al. 2018): two 1x1 to a quarter of `out`, 3x1 and 1x3 at half
/// (in the other order if not `tall_first`), 1x1; around it the input or, if `project`, a strided
/// 1x1 of it, which is also what is squeezed if `in_line`.
/// [C, H, W] -> [out, H / stride, W / stride].
block squeezenext(x, out, stride = 1, groups = 1, project = stride != 1 or x.channels != out,
                  tall_first = true, in_line = false) {
    let around = if project { x -> conv_bn_relu(out, kernel = 1, stride) } else { x }
    let squeezed = if in_line {
        around -> conv_bn_relu(out / 2, kernel = 1, groups = groups)
    } else {
        x -> conv_bn_relu(out / 2, kernel = 1, stride, groups = groups)
    }
    let (first, second) = if tall_first { ((3, 1), (1, 3)) } else { ((1, 3), (3, 1)) }
    let y = squeezed -> conv_bn_relu(out / 4, kernel = 1)
        -> conv_bn_relu(out / 2, first, groups = groups)
        -> conv_bn_relu(out / 2, second, groups = groups) -> conv_bn_relu(out, kernel = 1)
    around + y -> relu
}

/// Conv-shift-conv block (Wu et al. 2018): 1x1 to `expand * out` channels, `shift`, strided 1x1;
/// the residual around. [C, H, W] -> [out, H / stride, W / stride].
block shift_residual(x, out, stride = 1, expand = 1) {
    let y = x -> conv_bn_relu(expand * out, kernel = 1) -> shift -> conv_bn(out, kernel = 1, stride)
    (x -> shortcut(out, stride)) + y -> relu
}
