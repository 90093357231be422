//! The supernet of DARTS (Liu et al. 2019) for CIFAR-10, in the size of the search.
use darts.darts_relaxed

/// What decides a step: the settings of `spaces/darts_search.nas`.
search bench of darts_relaxed {
    strategy darts { order = first, prune_below = 0 }
    minimize cross_entropy
    weights sgd { rate = 0.025 -> 0.001 cosine, momentum = 0.9, decay = 3e-4 }
    retrain { rate = 0.025 -> 0 cosine, momentum = 0.9, decay = 3e-4 }
}
