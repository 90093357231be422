//! A once-for-all MobileNetV3 space (Cai et al. 2020).
use std.blocks.{conv_bn, mbconv}

space ofa(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn(16, kernel = 3, stride = 2, act = "hswish")
        -> mbconv(16, kernel = 3, expand = 1, act = "relu")
    for (c, s, act, se) in [(24, 2, "relu", 0.0), (40, 2, "relu", 0.25), (80, 2, "hswish", 0.0),
                            (112, 1, "hswish", 0.25), (160, 2, "hswish", 0.25)] {
        x = x -> repeat elastic depth [2, 3, 4] as i {
            mbconv(c, stride = if i == 0 { s } else { 1 }, kernel = elastic kernel [3, 5, 7],
                   expand = elastic expand [3, 4, 6], act, se)
        }
    }
    output logits = x -> conv_bn(960, kernel = 1, act = "hswish") -> global_avg_pool
        -> conv(1280, kernel = 1, bias = true) -> hswish -> flatten -> linear(classes)
}

expect ofa.count == (9 ^ 2 + 9 ^ 3 + 9 ^ 4) ^ 5
