//! A small space of the kind of FBNetV2 (Wan et al. 2020): each stage decides how many channels it has, and each layer its
//! kernel and how far it expands. Fewer channels are the first of the most, so that masks stand for them.
use std.blocks.{conv_bn, conv_bn_relu}

/// Inverted residual, the kernel of its depthwise convolution and its width searched.
/// [C, H, W] -> [out, H / stride, W / stride].
block layer(x, out, stride, is_residual) {
    let mid = x.channels * elastic expand [2, 4, 6]
    let y = x -> conv_bn_relu(mid, kernel = 1) -> choose op {
        for k in [3, 5] { "k{k}": conv_bn_relu(mid, kernel = k, stride = stride, groups = mid) }
    } -> conv_bn(out, kernel = 1)
    if is_residual { x + y } else { y }
}

space fbnetv2(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    for (most, repeats, stride) in [(24, 2, 2), (40, 2, 2), (96, 3, 2), (128, 3, 1), (216, 3, 2)] {
        let out = elastic filters [most / 2, most * 3 / 4, most]
        for i in 0..repeats {
            x = x -> layer(out, stride = if i == 0 { stride } else { 1 }, is_residual = i > 0)
        }
    }
    output logits = x -> conv_bn_relu(1984, kernel = 1) -> global_avg_pool -> linear(classes)
}

expect fbnetv2.count == 3 ^ 5 * (3 * 2) ^ 13
