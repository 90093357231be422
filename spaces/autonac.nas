//! A space in the manner of AutoNAC (Deci): for one chip, of operators that it has. Searched are
//! the width and the depth of each stage, the block and the kernel of each layer: 2.4e17 networks.
//! Among the blocks are those of YOLO-NAS, which fold into one convolution and stand int8. Deci's
//! own spaces are not published; no figure here is theirs.
use std.blocks.mbconv
use std.classic.bottleneck_residual
use std.reparam.{qarep_vgg, rep_vgg}
use std.segmentation.conv_bn_pair

/// The deep learning accelerator of Jetson Xavier, by the layers and limits of its TensorRT guide.
target xavier_dla {
    opset 17
    precision int8
    supports {
        conv(kernel <= 32, stride <= 8, dilation <= 32)
        batch_norm, linear, add, mul, concat, relu, relu6, leaky_relu, sigmoid, tanh
        max_pool(kernel <= 8, stride <= 16)
        avg_pool(kernel <= 8, stride <= 16)
    }
}

/// One searched layer; all candidates but the bottleneck share its kernel.
/// [C, H, W] -> [out, H / stride, W / stride].
block layer(x, out, stride, folded) {
    let kernel = choose kernel [3, 5]
    x -> choose op {
        qarep: qarep_vgg(out, kernel, stride, folded = folded)
        rep: rep_vgg(out, kernel, stride, folded = folded)
        pair: conv_bn_pair(out, kernel, stride)
        mbconv: mbconv(out, stride, kernel, expand = 4)
        bottleneck: bottleneck_residual(out / 4, stride)
    }
}

space autonac(classes = 1000, size = 224, folded = false) for xavier_dla {
    input image: [3, size, size]
    task classification(classes)

    var x = image -> qarep_vgg(32, stride = 2, folded = folded)
    for (widths, depths) in [([48, 64, 96], [1, 2, 3]), ([96, 128, 192], [2, 3, 4]),
                             ([192, 256, 384], [3, 4, 5, 6]), ([384, 512, 768], [1, 2, 3])] {
        let width = elastic width (widths)
        x = x -> repeat elastic depth (depths) as i {
            layer(width, stride = if i == 0 { 2 } else { 1 }, folded)
        }
    }
    // The chip has no global pool; this window is 7 x 7.
    output logits = x -> avg_pool((x.height, x.width)) -> linear(classes)
    require macs <= 2G
}

/// All widths and depths at their least, all layers QARepVGG 3x3, as it is trained.
arch small of autonac {
    width = [48, 96, 192, 384]
    depth = [1, 2, 3, 1]
    op = [qarep, qarep, qarep, qarep, qarep, qarep, qarep]
    kernel = [3, 3, 3, 3, 3, 3, 3]
    expect macs == 385_735_680
    expect params == 2_204_600
}

/// The same network as it runs: the 1x1 branches, a tenth of what its convolutions cost, are gone.
arch small_folded of autonac(folded = true) {
    width = [48, 96, 192, 384]
    depth = [1, 2, 3, 1]
    op = [qarep, qarep, qarep, qarep, qarep, qarep, qarep]
    kernel = [3, 3, 3, 3, 3, 3, 3]
    expect macs == 347_200_512
    expect params == 2_018_328
}

/// A layer has 9 forms: four blocks with two kernels, and the bottleneck.
expect autonac.count
    == 3 ^ 4 * (9 + 9 ^ 2 + 9 ^ 3) * (9 ^ 2 + 9 ^ 3 + 9 ^ 4) * (9 ^ 3 + 9 ^ 4 + 9 ^ 5 + 9 ^ 6)
        * (9 + 9 ^ 2 + 9 ^ 3)
expect autonac.macs.min == 90_249_216
expect autonac.macs.max == 10_407_671_808
