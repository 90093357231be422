//! A supernet of the layers of MobileNetV3-Large (Howard et al. 2019), with squeeze-and-excitation and hard swish: of each layer the
//! kernel and the expansion are chosen, as in ProxylessNAS (Cai et al. 2019).
use std.blocks.{conv_bn, mbconv}

block layer(x, channels, stride, se, act) {
    choose op {
        for kernel in [3, 5], expand in [3, 6] {
            "k{kernel}_e{expand}": x -> mbconv(channels, stride, kernel, expand, act, se)
        }
    }
}

space mobilenet(classes = 100, size = 128) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn(16, kernel = 3, stride = 2, act = "hswish")
    for (channels, repeats, stride, se, act) in [(24, 2, 2, 0, "relu"), (40, 3, 2, 0.25, "relu"), (80, 3, 2, 0, "hswish"),
                                                 (112, 2, 1, 0.25, "hswish"), (160, 2, 2, 0.25, "hswish")] {
        for i in 0..repeats {
            x = x -> layer(channels, if i == 0 { stride } else { 1 }, se, act)
        }
    }
    output logits = x -> conv_bn(960, kernel = 1, act = "hswish") -> global_avg_pool
        -> linear(1280) -> hswish -> linear(classes)
}

/// What decides a step.
search bench of mobilenet {
    strategy gumbel { temperature = 5 -> 1 exponential, prune_below = 0.005, mixing = soft }
    minimize cross_entropy + 0.02 * macs / 1G
    weights sgd { rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
    retrain { rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
}
