//! DeepLabV3+ (Chen et al. 2018) on Xception-65, output stride 16, separable convolutions in the
//! pyramid and in the decoder, as in the TensorFlow model zoo. Nothing is searched: one network.
//!
//! 41 lines of code; 244 in bonlime/keras-deeplab-v3-plus at 00a6c49 (model.py: `Deeplabv3`, which
//! has both backbones, and the blocks of Xception).
use std.blocks.{conv_bn, conv_bn_relu}
use std.heads.{aspp, atrous_separable_conv, deeplab_decoder, pixel_classifier}

/// ReLU, depthwise, 1x1, each convolution with its batch norm:
/// [C, H, W] -> [out, H / stride, W / stride].
block relu_separable(x, out, stride = 1) {
    x -> relu -> conv_bn(x.channels, kernel = 3, stride, groups = x.channels)
        -> conv_bn(out, kernel = 1)
}

/// One of the 16 in the middle of Xception: the shape stays.
block middle(x) {
    x + (x -> repeat 3 { relu_separable(x.channels) })
}

space deeplab_v3plus(classes = 19, height = 1025, width = 2049) {
    input image: [3, height, width]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn_relu(32, kernel = 3, stride = 2) -> conv_bn_relu(64, kernel = 3)
    var low = x
    for channels in [128, 256, 728] {
        let fine = x -> relu_separable(channels) -> relu_separable(channels)
        if channels == 256 { low = fine }
        let skip = x -> conv_bn(channels, kernel = 1, stride = 2)
        x = (fine -> relu_separable(channels, stride = 2)) + skip
    }
    x = x -> repeat 16 { middle }
    let skip = x -> conv_bn(1024, kernel = 1)
    x = (x -> relu_separable(728) -> relu_separable(1024) -> relu_separable(1024)) + skip
    for channels in [1536, 1536, 2048] {
        x = x -> atrous_separable_conv(channels, dilation = 2)
    }
    let deep = x -> aspp(branch = atrous_separable_conv)
    output logits = (deep, low) -> deeplab_decoder(branch = atrous_separable_conv)
        -> pixel_classifier(classes, size = (height, width))
}

/// Cityscapes (model zoo).
arch cityscapes of deeplab_v3plus {
    expect macs == 418_375_681_136
    expect params == 41_054_899
    expect macs ~= 418.64G within 0.07%
}

/// PASCAL VOC (model zoo).
arch voc of deeplab_v3plus(classes = 21, height = 513, width = 513) {
    expect macs == 54_035_303_024
    expect params == 41_055_413
    expect macs ~= 54.17G within 0.25%
}

expect deeplab_v3plus.count == 1
