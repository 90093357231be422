//! Single path one-shot (Guo et al. 2020): 20 searched blocks of ShuffleNetV2 (Ma et al. 2018), four candidates each.
//!
//! 61 lines of code; 197 in NNI 3.0 (nas/hub/pytorch/shufflenet.py: `ShuffleNetSpace`, its blocks).
use std.blocks.{conv_bn, conv_bn_relu}

/// What makes new channels: [C, H, W] -> [out, H / stride, W / stride].
block branch(x, mid, out, kernel, stride) {
    x -> conv_bn_relu(mid, kernel = 1) -> conv_bn(mid, kernel, stride, groups = mid)
        -> conv_bn_relu(out, kernel = 1)
}

/// The same with three depthwise convolutions.
block xception(x, mid, out, stride) {
    x -> conv_bn(x.channels, kernel = 3, stride = stride, groups = x.channels)
        -> conv_bn_relu(mid, kernel = 1) -> conv_bn(mid, kernel = 3, groups = mid)
        -> conv_bn_relu(mid, kernel = 1) -> conv_bn(mid, kernel = 3, groups = mid)
        -> conv_bn_relu(out, kernel = 1)
}

/// A block of stride 2: the input, halved in size, and new channels, joined.
block reducing(x, out, kernel, is_xception) {
    let (mid, new) = (out / 2, out - x.channels)
    let kept = x -> conv_bn(x.channels, kernel, stride = 2, groups = x.channels)
        -> conv_bn_relu(x.channels, kernel = 1)
    let made = if is_xception {
        x -> xception(mid, new, 2)
    } else {
        x -> branch(mid, new, kernel, 2)
    }
    concat(kept, made)
}

/// A block of stride 1: every other channel as it is, and new ones of the others, joined.
block keeping(x, kernel, is_xception) {
    let half = x.channels / 2
    let split = x -> channel_shuffle(half)
    let (even, odd) = (split -> channel_slice(0, half), split -> channel_slice(half, 2 * half))
    let made = if is_xception {
        odd -> xception(half, half, 1)
    } else {
        odd -> branch(half, half, kernel, 1)
    }
    concat(even, made)
}

block candidate(x, out, stride, kernel, is_xception = false) {
    if stride == 2 { x -> reducing(out, kernel, is_xception) }
    else { x -> keeping(kernel, is_xception) }
}

space single_path(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    for (channels, repeats) in [(64, 4), (160, 4), (320, 8), (640, 4)] {
        for i in 0..repeats {
            let stride = if i == 0 { 2 } else { 1 }
            x = x -> choose op {
                for k in [3, 5, 7] { "k{k}": candidate(channels, stride, k) }
                xception: candidate(channels, stride, 3, is_xception = true)
            }
        }
    }
    output logits = x -> conv_bn_relu(1024, kernel = 1) -> global_avg_pool -> dropout(0.1)
        -> linear(classes, bias = false)
}

/// The network that the authors found and published.
arch published of single_path {
    op = [k7, k5, k3, k5, k7, k3, k7, k3, k7, k3, k7, xception, k3, k3, k3, k3, xception, k7,
          xception, xception]
    expect params == 3_558_464
    expect macs ~= 323M
    expect params ~= 3.5M within 1.7%
}

expect single_path.count == 4 ^ 20
