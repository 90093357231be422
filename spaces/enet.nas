//! ENet (Paszke et al. 2016) for Cityscapes: bottlenecks with dilated and asymmetric convolutions,
//! and a decoder that puts values back where the encoder's pools had their maxima.
//! Nothing is searched: one network. The figures count the definition in pytorchcv.
//!
//! 21 lines of code; 321 in pytorchcv 0.0.74 (models/enet.py: `ENet`, its blocks, `get_enet`).
use std.segmentation.{concat_downsample, enet_bottleneck, enet_down, enet_up}

space enet(classes = 19, height = 512, width = 1024) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    let half = image -> concat_downsample(16, act = prelu)
    let quarter = half -> enet_down(64, drop = 0.01) -> repeat 4 { enet_bottleneck(drop = 0.01) }
    let eighth = quarter -> enet_down(128) -> repeat 2 {
        enet_bottleneck -> enet_bottleneck(dilation = 2) -> enet_bottleneck(asymmetric = true)
            -> enet_bottleneck(dilation = 4) -> enet_bottleneck -> enet_bottleneck(dilation = 8)
            -> enet_bottleneck(asymmetric = true) -> enet_bottleneck(dilation = 16)
    }
    let up = (eighth, quarter) -> enet_up -> repeat 2 { enet_bottleneck(act = "relu") }
    output logits = (up, half) -> enet_up -> enet_bottleneck(act = "relu")
        -> conv_transpose(classes, kernel = 3, stride = 2, output_padding = 1)
}

/// The counted definition has one slope in each of its 93 PReLUs; here, as in the paper, each of
/// their 6328 channels has its own.
arch cityscapes of enet {
    expect macs == 4_121_296_896
    expect params == 358_060 - 93 + 6_328
    expect macs ~= 4.4G within 6.4%
}

expect enet.count == 1
