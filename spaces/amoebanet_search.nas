//! How AmoebaNet was found (Real et al. 2019).
use amoebanet.amoebanet_cifar

/// Algorithm 1 and section 4 of the paper: regularised evolution of 20,000 networks of few channels and cells, each trained
/// for 25 epochs on CIFAR-10, of which 5,000 images are held out; a population of 100, a tournament of 25. The twenty best
/// are trained once more; the paper does so at a larger size, `amoebanet_cifar(filters = 32, repeats = 6)`. They are
/// trained as DARTS trains its own (Liu et al. 2019, appendix A.2).
search published of amoebanet_cifar(filters = 24, repeats = 3) {
    strategy aging_evolution { population = 100, tournament = 25 }
    score { by = train, epochs = 25 }
    maximize accuracy
    data cifar10 { path = "data/cifar10", val = 0.1, pad = 4, flip = true }
    derive { sample = 20_000, keep = 20, finalists = 20, epochs = 600 }
    retrain { epochs = 600, rate = 0.025 -> 0 cosine, momentum = 0.9, decay = 3e-4, batch = 96 }
}
