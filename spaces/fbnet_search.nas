//! How FBNet was found (Wu et al. 2019).
use fbnet.fbnet

/// Section 4.1 of the paper: a search on 100 of the classes of ImageNet in batches of 192; then six networks are drawn and
/// trained. With the constants of its re-implementations (AnnaAraslanova/FBNet, JunrQ/NAS): 90 epochs, in the first ten of
/// which the weights learn alone, and a temperature that is multiplied by exp(-0.045) after each of the others. How the
/// networks are trained is not from the paper.
///
/// The paper's loss is `CE * 0.2 * log(latency) ^ 0.6` (equation 2); here what is weighed is a term beside the
/// cross-entropy, and MACs stand for the latency, for which a target with a latency table is needed.
search published of fbnet(classes = 100) {
    strategy gumbel { temperature = 5 -> 0.143 exponential, prune_below = 0, mixing = soft }
    minimize cross_entropy + 2 * macs / 1G
    data imagenet_100 { path = "data/imagenet_100", batch = 192 }
    weights sgd { rate = 0.1 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
    choices adam { rate = 0.01, decay = 5e-4 }
    schedule { epochs = 90, warmup = 10, split = 0.8 }
    derive { sample = 6, keep = 6, finalists = 6, epochs = 90 }
    retrain { epochs = 360, rate = 0.1 -> 0 cosine, momentum = 0.9, decay = 4e-5, batch = 256 }
}
