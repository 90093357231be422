//! A space of 243 networks small enough to train them all: the truth that strategies are held against.
use std.blocks.{conv_bn_relu, mbconv}

/// One searched layer. Where the shape changes, what stands for the identity is a 1x1 convolution.
block layer(x, out, stride) {
    x -> choose op {
        identity: if stride == 1 and x.channels == out {
            identity
        } else {
            conv_bn_relu(out, kernel = 1, stride)
        }
        k3_e2: mbconv(out, stride, kernel = 3, expand = 2)
        k5_e4: mbconv(out, stride, kernel = 5, expand = 4)
    }
}

space garments(classes = 10, size = 28) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn_relu(8, kernel = 3, stride = 2)
    for (channels, stride) in [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2)] {
        x = x -> layer(channels, stride)
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

expect garments.count == 3 ^ 5

/// Trains every network: `garments.jsonl` is its `scores.jsonl`.
search truth of garments {
    strategy random {}
    score { by = train, epochs = 4 }
    data garments { path = "garments", batch = 64 }
    derive { sample = 243 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}
