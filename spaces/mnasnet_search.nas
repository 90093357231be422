//! How MnasNet was found (Tan et al. 2019).
use mnasnet.mnasnet

/// Sections 3.1, 4.2 and 5 of the paper: a recurrent controller learns by proximal policy optimisation. Each of about 8,000
/// networks is trained for five epochs on ImageNet, of which 50,000 images are held out, and measured on a phone; the 15 best
/// are trained to the end. The reward is equation 2, with the exponent -0.07 on both sides of the target. The controller's
/// own settings are those of NASNet (Zoph et al. 2018, appendix A), as the paper names none; passes and clip are ours.
///
/// A phone is a target with a latency table: `(latency / 75ms) ^ -0.07`. Without one MACs stand for time; MnasNet-A1 has
/// 312M.
search published of mnasnet {
    strategy controller {
        units = 100
        learning = 0.00035
        batch = 20
        passes = 5
        clip = 0.2
        memory = 0.95
        entropy = 1e-5
    }
    score { by = train, epochs = 5 }
    maximize accuracy * (macs / 312M) ^ -0.07
    data imagenet { path = "data/imagenet", val = 0.04 }
    derive { sample = 8_000, keep = 15, finalists = 15, epochs = 350 }
    retrain rmsprop {
        epochs = 350
        rate = 0.256 -> 0.0032 exponential
        warmup = 5
        momentum = 0.9
        smoothing = 0.9
        decay = 1e-5
        batch = 4096
    }
}
