//! How ProxylessNAS was found (Cai et al. 2019).
use proxylessnas.proxylessnas

/// Section 4.2 of the paper, with the defaults of its search code (mit-han-lab/proxylessnas,
/// search/imagenet_arch_search.py): 120 epochs on ImageNet behind 40 in which the weights learn alone, choices that
/// learn by Adam without a first moment; then 300 epochs of the network that was found (imagenet_run_exp.py).
///
/// The loss of that code is `CE * 0.2 * (log(latency) / log(target)) ^ 0.3`; that of the paper is `CE + lambda * E[latency]`
/// (equation 6), which stands here. Without a latency table it is MACs that are weighed.
search published of proxylessnas {
    strategy proxyless {}
    minimize cross_entropy + 0.1 * macs / 300M
    data imagenet { path = "data/imagenet", batch = 256 }
    weights sgd { rate = 0.025 -> 0 cosine, momentum = 0.9, decay = 4e-5 }
    choices adam { rate = 0.001, beta1 = 0, beta2 = 0.999, decay = 0 }
    schedule { epochs = 160, warmup = 40, split = 0.96 }
    derive { sample = 1, keep = 1 }
    retrain { epochs = 300, rate = 0.05 -> 0 cosine, momentum = 0.9, decay = 4e-5, batch = 256 }
}
