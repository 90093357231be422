//! EDANet (Lo et al. 2019) for Cityscapes: dense modules of asymmetric, dilated convolutions.
//! Nothing is searched: one network. The figures count the definition in pytorchcv.
//!
//! 22 lines of code; 166 in pytorchcv 0.0.74 (models/edanet.py: `EDANet`, its blocks, `get_edanet`).
use std.heads.pixel_classifier
use std.segmentation.{concat_downsample, eda_module}

space edanet(classes = 19, height = 512, width = 1024) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    var x = image -> concat_downsample(15, bias = true) -> concat_downsample(60, bias = true)
    for d in [1, 1, 1, 2, 2] {
        x = x -> eda_module(dilation = d)
    }
    x = x -> conv(130, kernel = 3, stride = 2, bias = true) -> batch_norm -> relu
    for d in [2, 2, 4, 4, 8, 8, 16, 16] {
        x = x -> eda_module(dilation = d)
    }
    output logits = x -> pixel_classifier(classes, size = (height, width))
}

/// Published by SqueezeNAS, table 1.
arch cityscapes of edanet {
    expect macs == 8_832_892_928
    expect params == 689_485
    expect macs ~= 8.97G within 1.6%
    expect params ~= 0.68M within 1.4%
}

expect edanet.count == 1
