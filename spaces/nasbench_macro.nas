//! NAS-Bench-Macro (Su et al. 2021): 6,561 networks on CIFAR-10, each of which was trained from
//! scratch three times. Its accuracies are published with it, as xiusu/NAS-Bench-Macro.
use std.blocks.{conv_bn, mbconv}

/// One searched layer. Where the shape changes, what stands for the identity is a 1x1 convolution.
block layer(x, out, stride) {
    x -> choose op {
        identity: if stride == 1 and x.channels == out {
            identity
        } else {
            conv_bn(out, kernel = 1, stride)
        }
        k3_e3: mbconv(out, stride, kernel = 3, expand = 3)
        k5_e6: mbconv(out, stride, kernel = 5, expand = 6)
    }
}

space nasbench_macro(classes = 10, size = 32) {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> conv_bn(32, kernel = 3, act = "relu6")
    for (channels, repeats) in [(64, 2), (128, 3), (256, 3)] {
        for i in 0..repeats { x = x -> layer(channels, stride = if i == 0 { 2 } else { 1 }) }
    }
    output logits = x -> conv_bn(1280, kernel = 1, act = "relu6") -> global_avg_pool
        -> linear(classes)
}

/// The cheapest network.
arch least of nasbench_macro {
    op = [identity, identity, identity, identity, identity, identity, identity, identity]
    expect macs == 7_713_280
    expect params == 387_882
}

/// The most expensive one; three trainings reached 93.06, 92.92 and 92.88 %.
arch greatest of nasbench_macro {
    op = [k5_e6, k5_e6, k5_e6, k5_e6, k5_e6, k5_e6, k5_e6, k5_e6]
    expect macs == 105_660_928
    expect params == 2_932_586
}

expect nasbench_macro.count == 3 ^ 8
