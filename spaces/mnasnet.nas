//! MnasNet (Tan et al. 2019): five blocks of equal layers; of each block, 432 combinations of
//! operator, kernel, squeeze-and-excite, skip, width and number of layers, around MobileNetV2.
use std.blocks.{conv_bn, conv_bn_relu, squeeze_excite}
use std.cells.pool_to

/// Inverted residual without its residual; the squeeze-and-excite has `se` of the channels that
/// come in, before they are expanded. [C, H, W] -> [out, H / stride, W / stride].
block mbconv(x, out, stride, kernel, expand, se) {
    let mid = expand * x.channels
    let wide = if expand == 1 { x } else { x -> conv_bn_relu(mid, kernel = 1) }
    let deep = wide -> conv_bn_relu(mid, kernel, stride, groups = mid)
    (if se { deep -> squeeze_excite(max(1, x.channels / 4), gate = "sigmoid") } else { deep })
        -> conv_bn(out, kernel = 1)
}

/// One layer of a block. A pool skips the first layer too.
block layer(x, out, stride, op, kernel, se, skip) {
    let y = if op == "conv" {
        let y = x -> conv_bn_relu(out, kernel, stride)
        if se { y -> squeeze_excite(max(1, x.channels / 4), gate = "sigmoid") } else { y }
    }
    else if op == "sep" { x -> mbconv(out, stride, kernel, 1, se) }
    else if op == "mbconv_3" { x -> mbconv(out, stride, kernel, 3, se) }
    else { x -> mbconv(out, stride, kernel, 6, se) }
    if skip == "pool" { y + (x -> pool_to(out, "avg", 3, stride)) }
    else if skip == "identity" and stride == 1 and x.channels == out { x + y }
    else { y }
}

/// A block: its layers are alike, but the first has the stride.
block layers(x, channels, count, stride) {
    let op = choose op ["conv", "sep", "mbconv_3", "mbconv_6"]
    let kernel = choose kernel [3, 5]
    let se = choose se [false, true]
    let skip = choose skip ["pool", "identity", "none"]
    let width = round_to(channels * choose width [0.75, 1.0, 1.25], 2)
    x -> repeat choose depth [count - 1, count, count + 1] as i {
        layer(width, if i == 0 { stride } else { 1 }, op, kernel, se, skip)
    }
}

space mnasnet(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn_relu(32, kernel = 3, stride = 2) -> mbconv(16, 1, 3, 1, false)
    for (channels, count, stride) in [(24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2)] {
        x = x -> layers(channels, count, stride)
    }
    output logits = x -> mbconv(320, 1, 3, 6, false) -> conv_bn_relu(1280, kernel = 1)
        -> global_avg_pool -> dropout(0.2) -> linear(classes)
}

expect mnasnet.count == 432 ^ 5
