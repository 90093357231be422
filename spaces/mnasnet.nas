//! MnasNet (Tan et al. 2019): five blocks of equal layers, around those of MobileNetV2. For each
//! block 432 combinations: of operator, kernel, squeeze-and-excite, skip, width and depth.
//!
//! 110 lines of code; 207 in pytorchcv 0.0.74 (models/mnasnet.py: `MnasNet`, its blocks,
//! `get_mnasnet`), the published networks without a space.
use std.blocks.{conv_bn, conv_bn_relu, squeeze_excite}
use std.cells.pool_to

/// Channels, layers and stride of the blocks that are searched.
const BLOCKS = [(24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2)]

/// Convolution, or depthwise convolution with 1x1s around it: [C, H, W] -> [out, H / stride,
/// W / stride]. Squeeze-and-excite has a quarter of C channels, whatever the 1x1 expands them to.
block operator(x, out, stride, op, kernel, se) {
    let expand = if op == "mbconv_3" { 3 } else if op == "mbconv_6" { 6 } else { 1 }
    let mid = expand * x.channels
    let wide = if expand == 1 { x } else { x -> conv_bn_relu(mid, kernel = 1) }
    let y = if op == "conv" {
        x -> conv_bn_relu(out, kernel, stride)
    } else {
        wide -> conv_bn_relu(mid, kernel, stride, groups = mid)
    }
    let gated = if se { y -> squeeze_excite(max(1, x.channels / 4), gate = "sigmoid") } else { y }
    if op == "conv" { gated } else { gated -> conv_bn(out, kernel = 1) }
}

/// One layer: the operator, and a pool or the input beside it. A pool fits whatever the shape.
block layer(x, out, stride, op, kernel, se, skip = "identity") {
    let y = x -> operator(out, stride, op, kernel, se)
    if skip == "pool" { y + (x -> pool_to(out, "avg", 3, stride)) }
    else if skip == "identity" and stride == 1 and x.channels == out { x + y }
    else { y }
}

/// A searched block. Its layers are alike, but for the stride of the first.
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

block head(x, classes) {
    x -> conv_bn_relu(1280, kernel = 1) -> global_avg_pool -> dropout(0.2) -> linear(classes)
}

/// The searched blocks, and what is fixed before and after them.
block network(image, blocks, classes) {
    var x = image -> conv_bn_relu(32, kernel = 3, stride = 2) -> layer(16, 1, "sep", 3, false)
    for (channels, count, stride) in blocks { x = x -> layers(channels, count, stride) }
    x -> layer(320, 1, "mbconv_6", 3, false) -> head(classes)
}

space mnasnet(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    output logits = image -> network(BLOCKS, classes)
}

/// What the paper compares with: 15 layers, each searched as a block is.
space mnasnet_per_layer(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    let layers = [for (channels, count, stride) in BLOCKS, i in 0..3 {
        (channels, count, if i == 0 { stride } else { 1 })
    }]
    output logits = image -> network(layers, classes)
}

/// Layers, kernel, stride, operator, channels and squeeze-and-excite of the blocks that were
/// published (tensorflow/tpu); their widths are none of those above.
const A1 = [
    (1, 3, 1, "sep", 16, false),
    (2, 3, 2, "mbconv_6", 24, false),
    (3, 5, 2, "mbconv_3", 40, true),
    (4, 3, 2, "mbconv_6", 80, false),
    (2, 3, 1, "mbconv_6", 112, true),
    (3, 5, 2, "mbconv_6", 160, true),
    (1, 3, 1, "mbconv_6", 320, false),
]
const B1 = [
    (1, 3, 1, "sep", 16, false),
    (3, 3, 2, "mbconv_3", 24, false),
    (3, 5, 2, "mbconv_3", 40, false),
    (3, 5, 2, "mbconv_6", 80, false),
    (2, 3, 1, "mbconv_6", 96, false),
    (4, 5, 2, "mbconv_6", 192, false),
    (1, 3, 1, "mbconv_6", 320, false),
]
const SMALL = [
    (1, 3, 1, "sep", 8, false),
    (1, 3, 2, "mbconv_3", 16, false),
    (2, 3, 2, "mbconv_6", 16, false),
    (4, 5, 2, "mbconv_6", 32, true),
    (3, 3, 1, "mbconv_6", 32, true),
    (3, 5, 2, "mbconv_6", 88, true),
    (1, 3, 1, "mbconv_6", 144, false),
]

space mnasnet_published(classes = 1000, size = 224, stem = 32, blocks = A1) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn_relu(stem, kernel = 3, stride = 2)
    for (count, kernel, stride, op, channels, se) in blocks {
        x = x -> repeat count as i {
            layer(channels, if i == 0 { stride } else { 1 }, op, kernel, se)
        }
    }
    output logits = x -> head(classes)
}

/// MnasNet-A1 (the paper).
arch a1 of mnasnet_published {
    expect macs == 311_579_072
    expect params == 3_887_038
    expect macs ~= 312M
    expect params ~= 3.9M
}

/// MnasNet-B1.
arch b1 of mnasnet_published(blocks = B1) {
    expect macs == 314_415_872
    expect params == 4_383_312
    expect macs ~= 315M within 0.19%
    expect params ~= 4.4M
}

/// MnasNet-small.
arch small of mnasnet_published(stem = 8, blocks = SMALL) {
    expect macs == 68_339_184
    expect params == 2_030_264
    expect macs ~= 68M
    expect params ~= 2.0M
}

expect mnasnet.count == 432 ^ 5
expect mnasnet_per_layer.count == 432 ^ 15
