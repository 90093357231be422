//! How the networks of single path one-shot were found (Guo et al. 2020).
use single_path.single_path

/// Section 4 of the paper: a supernet of 120 epochs on ImageNet, in each step of which one network learns, drawn
/// uniformly, in batches of 1024; evolution over 20 generations of 50 networks, each scored by its part of the
/// weights with batch norm recalibrated; then 240 epochs of the best. Rates are those of ShuffleNetV2 (Ma et al. 2018).
///
/// Its evolution has crossover and keeps the ten best; that of `aging_evolution` has mutation alone and forgets the oldest.
search published of single_path {
    strategy aging_evolution { population = 50, tournament = 10 }
    score { by = inherited }
    maximize accuracy
    data imagenet { path = "data/imagenet", batch = 1024 }
    weights sgd { rate = 0.5 -> 0 linear, momentum = 0.9, decay = 4e-5 }
    schedule { epochs = 120, paths = uniform }
    derive { sample = 1_000, keep = 10 }
    retrain { epochs = 240, rate = 0.5 -> 0 linear, momentum = 0.9, decay = 4e-5, batch = 1024 }
}
