//! EfficientNet (Tan and Le 2019) as in torchvision: B0, and B1 to B4, which are wider and deeper.
//!
//! 62 lines of code; 216 in torchvision 0.26.0 (models/efficientnet.py: `EfficientNet`, its block
//! and configuration, `_efficientnet_conf`).
use std.blocks.{conv_bn, dropped, squeeze_excite}

/// Inverted residual with squeeze-and-excite, which has a quarter of C channels whatever the 1x1
/// expands them to: [C, H, W] -> [out, H / stride, W / stride].
block layer(x, out, stride, kernel, expand, drop) {
    let mid = x.channels * expand
    let wide = if expand == 1 { x } else { x -> conv_bn(mid, kernel = 1, act = "swish") }
    let y = wide -> conv_bn(mid, kernel, stride, groups = mid, act = "swish")
        -> squeeze_excite(x.channels / 4, act = "swish", gate = "sigmoid")
        -> conv_bn(out, kernel = 1)
    if stride == 1 and x.channels == out { x + (y -> dropped(drop)) } else { y }
}

/// Layers of one width, the first with the stride. `drops` is how often each leaves its residual
/// alone in training.
block stage(x, out, stride, kernel, expand, drops) {
    x -> repeat len(drops) as i {
        layer(out, if i == 0 { stride } else { 1 }, kernel, expand, drops[i])
    }
}

/// `width` and `depth` are factors of those of B0, `depth` in tenths.
space efficientnet(classes = 1000, size = 224, width = 1, depth = 10, drop = 0.2) {
    input image: [3, size, size]
    task classification(classes)

    let stages = [for (kernel, expand, channels, layers, stride) in [
        (3, 1, 16, 1, 1), (3, 6, 24, 2, 2), (5, 6, 40, 2, 2), (3, 6, 80, 3, 2), (5, 6, 112, 3, 1),
        (5, 6, 192, 4, 2), (3, 6, 320, 1, 1)
    ] { (kernel, expand, round_to(channels * width, 8), (layers * depth + 9) / 10, stride) }]
    let all = sum([for (_k, _e, _c, layers, _s) in stages { layers }])
    var x = image -> conv_bn(round_to(32 * width, 8), kernel = 3, stride = 2, act = "swish")
    var before = 0
    for (kernel, expand, channels, layers, stride) in stages {
        let drops = [for i in 0..layers { 0.2 * (before + i) / all }]
        x = x -> stage(channels, stride, kernel, expand, drops)
        before = before + layers
    }
    output logits = x -> conv_bn(4 * x.channels, kernel = 1, act = "swish") -> global_avg_pool
        -> dropout(drop) -> linear(classes)
}

/// Published in the paper, as the next ones.
arch b0 of efficientnet {
    expect params == 5_288_548
    expect params ~= 5.3M
    expect macs == 385_814_752
    expect macs ~= 390M within 1.1%
}

arch b1 of efficientnet(size = 240, depth = 11) {
    expect params == 7_794_184
    expect params ~= 7.8M
    expect macs == 686_802_832
    expect macs ~= 700M within 1.9%
}

arch b2 of efficientnet(size = 260, width = 1.1, depth = 12, drop = 0.3) {
    expect params == 9_109_994
    expect params ~= 9.2M within 1%
    expect macs == 993_561_872
    expect macs ~= 1.0G
}

arch b3 of efficientnet(size = 300, width = 1.2, depth = 14, drop = 0.3) {
    expect params == 12_233_232
    expect params ~= 12M within 2%
    expect macs == 1_827_141_392
    expect macs ~= 1.8G within 1.6%
}

arch b4 of efficientnet(size = 380, width = 1.4, depth = 18, drop = 0.4) {
    expect params == 19_341_616
    expect params ~= 19M within 1.8%
    expect macs == 4_393_771_024
    expect macs ~= 4.2G within 4.7%
}
