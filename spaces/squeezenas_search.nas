//! How SqueezeNAS was found (Shaw et al. 2019).
use squeezenas_xlarge.squeezenas_xlarge

/// Section 4 of the paper: the supernet learns on Cityscapes itself, first the weights alone and then in turns with the
/// probabilities of the candidates, by the Gumbel-softmax at a temperature that falls from 5 to 1 (section 4.1). A
/// candidate below half a per cent goes (section 4.2); MACs are weighed beside the cross-entropy (section 4.3). Networks
/// are then drawn and scored with the supernet's weights, and the best is trained. The other two spaces likewise.
///
/// What the paper does not say, and what stands here for it: the law of the temperature, the weight of MACs,
/// epochs and warm-up, optimisers and rates, batch and crop, and how many networks are drawn.
search published of squeezenas_xlarge {
    strategy gumbel { temperature = 5 -> 1 exponential, prune_below = 0.005, mixing = soft }
    minimize cross_entropy + 0.02 * macs / 1G
    data cityscapes {
        path = "data/cityscapes"
        crop = (768, 768)
        scale = 0.5..2.0
        flip = true
        batch = 8
    }
    weights sgd { rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4 }
    choices adam { rate = 0.01, decay = 5e-4 }
    schedule { epochs = 100, warmup = 25, split = 0.8 }
    derive { sample = 20, keep = 5 }
    retrain { epochs = 200, rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 1e-4, batch = 8 }
}
