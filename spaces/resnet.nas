//! ResNet (He et al. 2016), for ImageNet and for CIFAR-10. Bottlenecks have the stride in the 3x3
//! convolution ("v1.5"), as in torchvision.
//!
//! 79 lines of code; 196 in torchvision 0.29.2 (models/resnet.py: `ResNet`, its blocks).
use std.blocks.conv_bn_relu
use std.classic.{basic_residual, bottleneck_residual}

/// Units alike, the first with the stride: [C, H, W] -> [C', H / stride, W / stride].
block stage(x, unit, width, repeats, stride) {
    x -> repeat repeats as i { unit(width, stride = if i == 0 { stride } else { 1 }) }
}

/// For ImageNet.
space resnet(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)

    let depth = choose depth [18, 50, 101, 152]
    let unit = if depth == 18 { basic_residual } else { bottleneck_residual }
    let repeats = if depth == 18 {
        [2, 2, 2, 2]
    } else if depth == 50 {
        [3, 4, 6, 3]
    } else if depth == 101 {
        [3, 4, 23, 3]
    } else {
        [3, 8, 36, 3]
    }

    var x = image -> conv_bn_relu(64, kernel = 7, stride = 2)
        -> max_pool(3, stride = 2, padding = "same")
    for i in 0..4 {
        x = x -> stage(unit, 64 * 2 ^ i, repeats[i], stride = if i == 0 { 1 } else { 2 })
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

arch resnet18 of resnet {
    depth = [18]
    expect macs == 1_814_073_344
    expect params == 11_689_512
}

/// Published with torchvision.
arch resnet50 of resnet {
    depth = [50]
    expect macs == 4_089_184_256
    expect params == 25_557_032
    expect macs ~= 4.1G
    expect params ~= 25.6M
}

arch resnet101 of resnet {
    depth = [101]
    expect macs == 7_801_405_440
    expect params == 44_549_160
}

/// Published: FLOP, two to a multiply-accumulate.
arch resnet152 of resnet {
    depth = [152]
    expect macs == 11_513_626_624
    expect params == 60_192_808
    expect 2 * macs ~= 22.6G within 1.9%
}

expect resnet.count == 4

/// For CIFAR-10: three stages of equal depth, shortcuts of 1x1 convolutions.
space resnet_cifar(classes = 10) {
    input image: [3, 32, 32]
    task classification(classes)

    let depth = choose depth [20, 56, 110]
    var x = image -> conv_bn_relu(16, kernel = 3)
    for i in 0..3 {
        let repeats = (depth - 2) / 6
        x = x -> stage(basic_residual, 16 * 2 ^ i, repeats, stride = if i == 0 { 1 } else { 2 })
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

/// Published with ShiftResNet: all 272,474 parameters.
arch resnet20 of resnet_cifar {
    depth = [20]
    expect macs == 40_813_184
    expect params == 272_474
}

arch resnet56 of resnet_cifar {
    depth = [56]
    expect macs == 125_747_840
    expect params == 855_770
    expect params ~= 0.86M
}

arch resnet110 of resnet_cifar {
    depth = [110]
    expect macs == 253_149_824
    expect params == 1_730_714
    expect params ~= 1.73M
}

expect resnet_cifar.count == 3
