//! How a small space of the kind of FBNetV2 is searched (Wan et al. 2020).
use fbnetv2.fbnetv2

/// Section 3.1 of the paper: numbers of channels are masks over one computation, weighted by the Gumbel-softmax; all
/// else is FBNet's, and so are the figures here (`fbnet_search.nas`).
///
/// The paper also searches the resolution, by subsampling, and lets each layer decide how many channels it gives.
search published of fbnetv2(classes = 100) {
    strategy fbnetv2 { temperature = 5 -> 0.143 exponential, prune_below = 0 }
    minimize cross_entropy + 2 * macs / 1G
    data imagenet_100 { path = "data/imagenet_100", batch = 192 }
    weights sgd { rate = 0.1 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
    choices adam { rate = 0.01, decay = 5e-4 }
    schedule { epochs = 90, warmup = 10, split = 0.8 }
    derive { sample = 6, keep = 6, finalists = 6, epochs = 90 }
    retrain { epochs = 360, rate = 0.1 -> 0 cosine, momentum = 0.9, decay = 4e-5, batch = 256 }
}
