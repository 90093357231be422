//! How networks of the once-for-all network are found (Cai et al. 2020).
use ofa.ofa

/// Sections 3.3 and 3.4 of the paper, with the figures of its code (mit-han-lab/once-for-all): one set of weights for all
/// networks, trained by progressive shrinking; kernels open first, then depths, then widths, and the smaller
/// networks learn from the largest. Then evolution over a population of 100, 500 generations of which try 50,000 networks.
///
/// The code trains the largest network alone, for 180 epochs, and keeps it as the teacher; here it goes on learning beside
/// the others. Its parts have 120 epochs for kernels, 145 for depths and 145 for widths, and are equally long here; it draws
/// one to four networks for a step, where here two are drawn and the smallest is there too. Its evolution asks a
/// predictor of accuracies; here networks are scored with inherited weights. Its rates are 0.03, then 0.0025 and 0.0075,
/// where one cosine stands here; its limit is a latency that is kept, where MACs are weighed here; and its images have
/// 128 to 224 pixels.
search published of ofa {
    strategy aging_evolution { population = 100, tournament = 25 }
    score { by = inherited }
    maximize accuracy - 10 * max(0, macs / 230M - 1)
    data imagenet { path = "data/imagenet", batch = 64, rank_on = 10_000 }
    weights sgd { rate = 0.03 -> 0 cosine, momentum = 0.9, decay = 3e-5 }
    schedule {
        epochs = 592
        paths = sandwich
        random = 2
        distill = true
        shrink = "kernel, depth, expand"
        transforms = true
    }
    derive { sample = 50_000, keep = 10 }
    retrain { epochs = 180, rate = 0.03 -> 0 cosine, momentum = 0.9, decay = 3e-5, batch = 64 }
}
