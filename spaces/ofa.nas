//! A once-for-all MobileNetV3 space (Cai et al. 2020): the kernel and the expansion of each layer and
//! the depth of each stage are elastic, so that one set of weights serves all networks.
//!
//! 49 lines of code; 318 in ofa 0.1.0 (ofa_mbv3.py: `OFAMobileNetV3`, without its elastic layers).
use std.blocks.{conv_bn, mbconv}

space ofa(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn(16, kernel = 3, stride = 2, act = "hswish")
        -> mbconv(16, kernel = 3, expand = 1, act = "relu")
    for (c, s, act, se) in [(24, 2, "relu", 0.0), (40, 2, "relu", 0.25), (80, 2, "hswish", 0.0),
                            (112, 1, "hswish", 0.25), (160, 2, "hswish", 0.25)] {
        x = x -> repeat elastic depth [2, 3, 4] as i {
            mbconv(c, stride = if i == 0 { s } else { 1 }, kernel = elastic kernel [3, 5, 7],
                   expand = elastic expand [3, 4, 6], act, se)
        }
    }
    output logits = x -> conv_bn(960, kernel = 1, act = "hswish") -> global_avg_pool
        -> conv(1280, kernel = 1) -> hswish -> flatten -> linear(classes)
}

/// The largest network: kernel 7, expansion 6, depth 4.
arch largest of ofa {
    depth = [4, 4, 4, 4, 4]
    kernel = [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]
    expand = [6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6]
    expect macs == 566_170_656
    expect params == 7_664_760
}

/// The smallest one.
arch smallest of ofa {
    depth = [2, 2, 2, 2, 2]
    kernel = [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
    expand = [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
    expect macs == 121_278_672
    expect params == 3_410_792
}

/// The smallest one on the smallest images.
arch smallest_128 of ofa(size = 128) {
    depth = [2, 2, 2, 2, 2]
    kernel = [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
    expand = [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
    expect macs == 41_476_224
    expect params == 3_410_792
}

/// One between them.
arch middle of ofa {
    depth = [3, 3, 3, 3, 3]
    kernel = [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]
    expand = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    expect macs == 250_746_944
    expect params == 4_551_792
}

expect ofa.count == (9 ^ 2 + 9 ^ 3 + 9 ^ 4) ^ 5
expect ofa.params.min == 3_410_792
expect ofa.macs.min == 121_278_672
expect ofa.macs.max == 566_170_656
// The published weights hold, for each of 20 layers, two matrices that make a kernel smaller.
expect ofa.params.max == 7_678_880 - 20 * (25 ^ 2 + 9 ^ 2)
