//! The demo: of 243 small networks for 28 x 28 pictures of garments, a good one that takes at most 1.5 M multiply-accumulates.
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

space garments_demo(classes = 10, size = 28, most = 1.5M) {
    require macs <= most
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn_relu(8, kernel = 3, stride = 2)
    for (channels, stride) in [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2)] {
        x = x -> layer(channels, stride)
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

/// A supernet whose weights learn for two epochs and then in turns with the choices: of each batch for these, four networks
/// are drawn and held against each other. Of 24 that the choices then draw, the two best are trained.
search demo of garments_demo {
    strategy proxyless { gradient = reinforce, networks = 4 }
    minimize cross_entropy + max(0, macs / 1.5M - 1)
    data garments { path = "data/garments", val = 0.1, batch = 16 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.02 }
    schedule { epochs = 5, warmup = 2, split = 0.8 }
    derive { sample = 24, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}
