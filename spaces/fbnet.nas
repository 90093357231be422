//! FBNet (Wu et al. 2019): 22 searched layers, 9 candidates each. In the networks of the model zoo
//! (facebookresearch/mobile-vision), layers that expand to 1 times the channels lack the 1x1
//! convolution for it; those of the paper have it.
//!
//! 87 lines of code; 161 in pytorchcv 0.0.74 (models/fbnet.py: `FBNet`, its blocks, `get_fbnet`),
//! FBNet-C without a space.
use std.blocks.{conv_bn, conv_bn_relu}

/// Inverted residual without its residual, the channels shuffled after a grouped 1x1.
/// [C, H, W] -> [out, H / stride, W / stride].
block shuffled_residual(x, out, stride, kernel, expand, groups, expand_always) {
    let mid = x.channels * expand
    let is_expanded = expand > 1 or expand_always
    let wide = if is_expanded { x -> conv_bn_relu(mid, kernel = 1, groups = groups) } else { x }
    (if groups > 1 { wide -> channel_shuffle(groups) } else { wide })
        -> conv_bn_relu(mid, kernel, stride, groups = mid)
        -> conv_bn(out, kernel = 1, groups = groups)
}

/// One searched layer. The residual stands outside the choice.
block layer(x, out, stride, expand_always) {
    let keeps_shape = stride == 1 and x.channels == out
    let y = x -> choose op {
        for k in [3, 5], (e, g) in [(1, 1), (1, 2), (3, 1), (6, 1)] {
            "k{k}_e{e}_g{g}": shuffled_residual(out, stride, k, e, g, expand_always)
        }
        skip: if keeps_shape { zero } else { conv_bn_relu(out, kernel = 1, stride = stride) }
    }
    if keeps_shape { x + y } else { y }
}

/// Layers of one width, the first with the stride.
block stage(x, channels, repeats, stride, expand_always) {
    var y = x
    for i in 0..repeats { y = y -> layer(channels, if i == 0 { stride } else { 1 }, expand_always) }
    y
}

space fbnet(classes = 1000, size = 224, last = 1984, expand_always = true) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    for (channels, repeats, stride) in [(16, 1, 1), (24, 4, 2), (32, 4, 2), (64, 4, 2), (112, 4, 1),
                                        (184, 4, 2), (352, 1, 1)] {
        x = x -> stage(channels, repeats, stride, expand_always)
    }
    output logits = x -> conv_bn_relu(last, kernel = 1) -> global_avg_pool -> linear(classes)
}

/// FBNet-A of the paper.
arch fbnet_a of fbnet(last = 1504) {
    op = [skip, k3_e3_g1, k3_e1_g1, skip, skip, k5_e6_g1, k3_e3_g1, k5_e1_g1, k3_e3_g1, k5_e6_g1,
          k5_e3_g1, k5_e1_g2, k5_e6_g1, k3_e6_g1, k5_e1_g2, k5_e3_g1, k3_e1_g2, k5_e6_g1, k5_e6_g1,
          k5_e3_g1, k5_e6_g1, k5_e6_g1]
    expect macs == 249_921_848
    expect params == 4_321_464
    expect macs ~= 249M within 0.38%
    expect params ~= 4.3M
}

/// FBNet-A of the model zoo.
arch fbnet_a_zoo of fbnet(last = 1504, expand_always = false) {
    op = [skip, k3_e3_g1, k3_e1_g1, skip, skip, k5_e6_g1, k3_e3_g1, k5_e1_g1, k3_e3_g1, k5_e6_g1,
          k5_e3_g1, k5_e1_g2, k5_e6_g1, k3_e6_g1, k5_e1_g2, k5_e3_g1, k3_e1_g2, k5_e6_g1, k5_e6_g1,
          k5_e3_g1, k5_e6_g1, k5_e6_g1]
    expect macs == 244_452_664
    expect params == 4_304_584
    expect macs ~= 244.5M
    expect params ~= 4.3M
}

/// FBNet-B of the model zoo.
arch fbnet_b_zoo of fbnet(expand_always = false) {
    op = [k3_e1_g1, k3_e6_g1, k5_e1_g1, k3_e1_g1, k3_e1_g1, k5_e6_g1, k5_e3_g1, k3_e6_g1, k5_e6_g1,
          k5_e6_g1, k5_e6_g1, skip, k5_e3_g1, k5_e6_g1, k3_e1_g1, k5_e1_g1, k5_e3_g1, k5_e6_g1,
          k5_e1_g1, k5_e6_g1, k5_e6_g1, k3_e6_g1]
    expect macs == 291_004_424
    expect params == 4_801_368
    expect macs ~= 291.1M within 0.04%
    expect params ~= 4.8M
}

/// The same with all expansions. The paper prints 295M, 4.5M, and does not fix the network.
arch fbnet_b of fbnet {
    op = [k3_e1_g1, k3_e6_g1, k5_e1_g1, k3_e1_g1, k3_e1_g1, k5_e6_g1, k5_e3_g1, k3_e6_g1, k5_e6_g1,
          k5_e6_g1, k5_e6_g1, skip, k5_e3_g1, k5_e6_g1, k3_e1_g1, k5_e1_g1, k5_e3_g1, k5_e6_g1,
          k5_e1_g1, k5_e6_g1, k5_e6_g1, k3_e6_g1]
    expect macs == 306_210_888
    expect params == 4_863_288
}

/// FBNet-C of the paper; `fbnetc_100` in timm.
arch fbnet_c of fbnet {
    op = [k3_e1_g1, k3_e6_g1, skip, k3_e1_g1, k3_e1_g1, k5_e6_g1, k5_e3_g1, k5_e6_g1, k3_e6_g1,
          k5_e6_g1, k5_e3_g1, k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e3_g1, k5_e6_g1,
          k5_e6_g1, k5_e6_g1, k5_e6_g1, k3_e6_g1]
    expect macs == 384_960_160
    expect params == 5_572_200
    expect macs ~= 375M within 2.7%
    expect params ~= 5.5M within 1.4%
}

/// FBNet-C of the model zoo.
arch fbnet_c_zoo of fbnet(expand_always = false) {
    op = [k3_e1_g1, k3_e6_g1, skip, k3_e1_g1, k3_e1_g1, k5_e6_g1, k5_e3_g1, k5_e6_g1, k3_e6_g1,
          k5_e6_g1, k5_e3_g1, k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e6_g1, k5_e3_g1, k5_e6_g1,
          k5_e6_g1, k5_e6_g1, k5_e6_g1, k3_e6_g1]
    expect macs == 378_136_224
    expect params == 5_570_664
    expect macs ~= 378.2M within 0.02%
    expect params ~= 5.5M within 1.3%
}

expect fbnet.count == 9 ^ 22
