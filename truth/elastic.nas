//! A space of elastic networks for the pictures of `garments.nas`: 19,683 of them, some of which are trained.
use std.blocks.{conv_bn_relu, mbconv}

space garments_elastic(classes = 10, size = 28) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn_relu(8, kernel = 3, stride = 2)
    for (channels, stride) in [(8, 1), (16, 2), (32, 2)] {
        x = x
            -> mbconv(
                elastic width [channels / 4, channels / 2, channels],
                stride,
                kernel = elastic kernel [1, 3, 5],
                expand = elastic expand [1, 2, 4],
            )
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

expect garments_elastic.count == 27 ^ 3

/// Trains 40 networks on their own, drawn uniformly: `elastic.jsonl` is what `nasc runs export --format jsonl` writes of this search.
search truth of garments_elastic {
    strategy random {}
    score { by = train, epochs = 4 }
    data garments { path = "garments", batch = 64 }
    derive { sample = 40 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64, initial = pytorch }
}

/// Scores the same networks by the weights of one supernet, for `nasc rank`: the largest network and the smallest in each step, and
/// one between them.
search sandwich of garments_elastic {
    strategy random {}
    score { by = inherited }
    data garments { path = "garments", batch = 16, rank_on = 2_000 }
    weights sgd { rate = 0.05 -> 0, initial = pytorch }
    schedule { epochs = 4, paths = sandwich, random = 1 }
    derive { sample = 40 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64, initial = pytorch }
}

/// The same where the smaller ones open part by part.
search shrinking of garments_elastic {
    strategy random {}
    score { by = inherited }
    data garments { path = "garments", batch = 16, rank_on = 2_000 }
    weights sgd { rate = 0.05 -> 0, initial = pytorch }
    schedule { epochs = 4, paths = sandwich, random = 1, shrink = "kernel, expand, width" }
    derive { sample = 40 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64, initial = pytorch }
}
