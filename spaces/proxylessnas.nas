//! ProxylessNAS (Cai et al. 2019): 21 searched layers, each one of six inverted residuals or, where the shape stays,
//! nothing beside the residual.
//!
//! 27 lines of code; 221 in mit-han-lab/proxylessnas (search/models/super_nets/super_proxyless.py:
//! `SuperProxylessNASNets`, without its layers).
use std.blocks.conv_bn

/// Inverted residual without its residual, with ReLU6: [C, H, W] -> [out, H / stride, W / stride].
block inverted(x, out, stride, kernel, expand) {
    let mid = x.channels * expand
    let wide = if expand == 1 { x } else { x -> conv_bn(mid, kernel = 1, act = "relu6") }
    wide -> conv_bn(mid, kernel, stride, groups = mid, act = "relu6") -> conv_bn(out, kernel = 1)
}

/// One searched layer. The residual stands outside the choice.
block layer(x, out, stride) {
    let keeps_shape = stride == 1 and x.channels == out
    let y = x -> choose op {
        for k in [3, 5, 7], e in [3, 6] { "k{k}_e{e}": inverted(out, stride, k, e) }
        for none in if keeps_shape { ["none"] } else { [] } { "{none}": zero }
    }
    if keeps_shape { x + y } else { y }
}

space proxylessnas(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn(32, kernel = 3, stride = 2, act = "relu6")
        -> inverted(16, stride = 1, kernel = 3, expand = 1)
    for (channels, repeats, stride) in [(24, 4, 2), (40, 4, 2), (80, 4, 2), (96, 4, 1), (192, 4, 2),
                                        (320, 1, 1)] {
        for i in 0..repeats { x = x -> layer(channels, if i == 0 { stride } else { 1 }) }
    }
    output logits = x -> conv_bn(1280, kernel = 1, act = "relu6") -> global_avg_pool
        -> linear(classes)
}

expect proxylessnas.count == 6 ^ 6 * 7 ^ 15
