//! What the fuzzer makes models, plans and runs of: small spaces that hold each kind of operator.
use std.blocks.{conv_bn_relu, squeeze_excite}

block unit(x, out) {
    x -> choose op {
        small: conv_bn_relu(out, kernel = 1)
        large: conv_bn_relu(out, kernel = 3)
    }
}

space tiny(classes = 7, size = 32) {
    input image: [3, size, size]
    task segmentation(classes, ignore = 255)

    output logits = image
        -> conv_bn_relu(8, kernel = 3, stride = 2)
        -> unit(8)
        -> unit(8)
        -> conv(classes, kernel = 1, bias = true)
        -> resize(scale = 2)
}

space classes(size = 12) {
    input image: [3, size, size]
    task classification(5)

    let x = image -> conv(8, kernel = 3, stride = 2) -> batch_norm -> hswish
    let y = x -> repeat elastic depth [1, 2] {
        conv(8, kernel = elastic kernel [3, 5], groups = 8) -> prelu
    }
    let z = (x -> squeeze_excite(mid = 4)) + (y -> channel_shuffle(2))
        + (x -> conv(9, kernel = 1) -> shift -> conv(8, kernel = 1) -> swish)
    output logits = (z, y -> leaky_relu) -> concat -> global_avg_pool -> linear(5)
}

space maps(size = 8) {
    input image: [4, size, size]
    input more: [4, size, size]

    let low = image -> max_pool(2)
    let high = (low -> conv(4, kernel = 3) -> sigmoid, image) -> max_unpool(2)
    let wide = low -> conv_transpose(4, kernel = 3, stride = 2, output_padding = 1) -> tanh
    let third = more -> avg_pool(2, padding = ((0, 0), (0, 0))) -> pad(1, 1) -> crop(1, 1)
        -> resize(size = 8, mode = "nearest") -> relu6
    output map = high + wide * third -> channel_pad(after = 2) -> channel_slice(1, 5)
    output vector = third -> flatten -> linear(3)
}

search quick of tiny {
    minimize cross_entropy + 0.01 * macs / 1M
    data land { path = "data", batch = 4 }
    schedule { epochs = 8, warmup = 3, split = 0.5 }
    derive { sample = 2, keep = 1 }
    retrain { epochs = 5, batch = 4 }
}
