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

/// Trains every network on its own: `garments.jsonl` is what `nasc runs export --format jsonl` writes of this search.
search truth of garments {
    strategy grid {}
    score { by = train, epochs = 4 }
    data garments { path = "garments", batch = 64 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// Trains some of them once more: with another seed, they show how sure the truth is.
search part of garments {
    strategy random {}
    score { by = train, epochs = 4 }
    data garments { path = "garments", batch = 64 }
    derive { sample = 40 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// Scores every network without training any, for `nasc rank`: `--set 'score.proxies=[naswot]'` takes another proxy.
search proxies of garments {
    strategy grid {}
    score { by = proxy, proxies = [synflow], images = 64 }
    data garments { path = "garments", batch = 64 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// Scores every network by the weights of one supernet, for `nasc rank`.
search inherited of garments {
    strategy grid {}
    score { by = inherited }
    data garments { path = "garments", batch = 16, rank_on = 2_000 }
    weights sgd { rate = 0.05 -> 0 }
    schedule { epochs = 7, paths = uniform }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// Takes what four trainings take: a supernet for as many images as one and a half of them, 48 networks
/// scored by its weights, and two of these trained.
search one_shot of garments {
    strategy random {}
    score { by = inherited }
    data garments { path = "garments", batch = 16, rank_on = 1_000 }
    weights sgd { rate = 0.05 -> 0 }
    schedule { epochs = 6, paths = uniform }
    derive { sample = 48, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// The same cost with choices that learn: two epochs of the weights alone, three in which each batch of the weights is
/// followed by four networks that are drawn for a batch of the choices and held against each other.
search relaxed of garments {
    strategy proxyless { gradient = reinforce, networks = 4 }
    minimize cross_entropy
    data garments { path = "garments", batch = 16, rank_on = 1_000 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.02 }
    schedule { epochs = 5, warmup = 2, split = 0.8 }
    derive { sample = 48, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// The same with a mixture of all candidates in each step, which takes as long as three networks.
search softmax of garments {
    strategy darts {}
    minimize cross_entropy
    data garments { path = "garments", batch = 16, rank_on = 1_000 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.02 }
    schedule { epochs = 3, warmup = 1, split = 0.8 }
    derive { sample = 48, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// And with noise in its weights.
search noisy of garments {
    strategy gumbel { mixing = soft }
    minimize cross_entropy
    data garments { path = "garments", batch = 16, rank_on = 1_000 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.02 }
    schedule { epochs = 3, warmup = 1, split = 0.8 }
    derive { sample = 48, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// The same cost without a supernet: of a hundred networks the four that a proxy likes best are trained.
search warmed of garments {
    strategy random {}
    score { by = train, epochs = 4, warmup = 100, proxies = [snip] }
    data garments { path = "garments", batch = 64 }
    derive { sample = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

/// Looks the scores up: what a strategy finds within a few trials shows in a second.
search known of garments {
    strategy bayesian {}
    score { by = table, table = "garments.jsonl" }
    derive { sample = 40 }
}
