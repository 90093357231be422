//! Blocks that train with several branches and run as one convolution. Shapes are [channels,
//! height, width]. With `folded` they are what runs; the figures of the two forms differ.
use std.blocks.{activation, conv_bn}

/// What the branches of such a block fold into: a convolution with bias, `activation`.
/// [C, H, W] -> [out, H / stride, W / stride].
block folded_conv(x, out, kernel, stride, act) {
    x -> conv(out, kernel, stride, bias = true) -> activation(act)
}

/// RepVGG (Ding et al. 2021): convolution, 1x1 and, where the shape stays, the input, each with its
/// batch norm; their sum, `activation`. [C, H, W] -> [out, H / stride, W / stride].
block rep_vgg(x, out, kernel = 3, stride = 1, act = "relu", folded = false) {
    if folded {
        x -> folded_conv(out, kernel, stride, act)
    } else {
        let sides = (x -> conv_bn(out, kernel, stride)) + (x -> conv_bn(out, kernel = 1, stride))
        let y = if stride == 1 and x.channels == out { sides + (x -> batch_norm) } else { sides }
        y -> activation(act)
    }
}

/// QARepVGG (Chu et al. 2022), which keeps its accuracy in int8: only the large kernel has a batch
/// norm of its own, the sum has another. [C, H, W] -> [out, H / stride, W / stride].
block qarep_vgg(x, out, kernel = 3, stride = 1, act = "relu", folded = false) {
    if folded {
        x -> folded_conv(out, kernel, stride, act)
    } else {
        let sides = (x -> conv_bn(out, kernel, stride))
            + (x -> conv(out, kernel = 1, stride, bias = true))
        let y = if stride == 1 and x.channels == out { sides + x } else { sides }
        y -> batch_norm -> activation(act)
    }
}
