//! A MobileNetV2 (Sandler et al. 2018) for the 28 x 28 pictures of Fashion-MNIST: what integers of 8 bits cost is measured on it.
use std.blocks.{conv_bn, mbconv}

space mobilenet(classes = 10, size = 28, width = 0.5) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn(round_to(32 * width, 8), kernel = 3, stride = 1, act = "relu6")
    for (expand, channels, repeats, stride) in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                                                (6, 64, 3, 2), (6, 96, 2, 1)] {
        x = x -> repeat repeats as i {
            mbconv(round_to(channels * width, 8), stride = if i == 0 { stride } else { 1 },
                   expand = expand)
        }
    }
    output logits = x -> conv_bn(256, kernel = 1, act = "relu6") -> global_avg_pool -> dropout(0.2)
        -> linear(classes)
}

arch only of mobilenet {}

search trained of mobilenet {
    strategy random {}
    score { by = train, epochs = 1 }
    data garments { path = "garments", batch = 64 }
    retrain { epochs = 12, rate = 0.1 -> 0, batch = 64 }
}
