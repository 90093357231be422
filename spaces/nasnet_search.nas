//! How NASNet was found (Zoph et al. 2018).
use nasnet.nasnet_cifar

/// Section 3 and appendix A of the paper: a controller of one LSTM layer with 100 units learns by proximal policy
/// optimisation, at a rate of 0.00035 from batches of 20 networks, each of which was trained for 20 epochs on CIFAR-10 with
/// 5,000 images held out; the entropy has a weight of 0.00001, the baseline keeps 0.95 of itself. Of 20,000 networks, the
/// 250 best are trained until they converge: here as DARTS trains its own (Liu et al. 2019, appendix A.2). How many
/// passes the controller makes on a batch is not said.
search published of nasnet_cifar(filters = 32, repeats = 2) {
    strategy controller {
        units = 100
        learning = 0.00035
        batch = 20
        passes = 5
        clip = 0.2
        memory = 0.95
        entropy = 1e-5
    }
    score { by = train, epochs = 20 }
    maximize accuracy
    data cifar10 { path = "data/cifar10", val = 0.1, pad = 4, flip = true }
    derive { sample = 20_000, keep = 250, finalists = 250, epochs = 600 }
    retrain { epochs = 600, rate = 0.025 -> 0 cosine, momentum = 0.9, decay = 3e-4, batch = 96 }
}
