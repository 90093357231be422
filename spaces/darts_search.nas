//! How DARTS was found (Liu et al. 2019).
use darts.darts_relaxed

/// Section 3.1 and appendix A.1 of the paper: 50 epochs on one half of CIFAR-10 for the weights and one for the
/// choices, of the second order; then 600 epochs of the network that was found. The cutout, the paths that are dropped and
/// the auxiliary head of appendix A.2 are not here: the relaxed space has neither of these, and `data` holds for the search, too.
///
/// What comes out is a network of the relaxed space, one operator on each edge. The paper keeps two edges of each
/// node, which is the space `darts`, and makes the network wider and deeper, `darts(width = 36, layers = 20, drop = 0.2)`.
search published of darts_relaxed {
    strategy darts { order = second, prune_below = 0 }
    minimize cross_entropy
    data cifar10 { path = "data/cifar10", batch = 64, pad = 4, flip = true }
    weights sgd { rate = 0.025 -> 0.001 cosine, momentum = 0.9, decay = 3e-4 }
    choices adam { rate = 3e-4, beta1 = 0.5, beta2 = 0.999, decay = 1e-3 }
    schedule { epochs = 50, warmup = 0, split = 0.5 }
    derive { sample = 1, keep = 1 }
    retrain {
        epochs = 600
        rate = 0.025 -> 0 cosine
        momentum = 0.9
        decay = 3e-4
        batch = 96
    }
}
