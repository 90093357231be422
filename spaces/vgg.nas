//! VGG (Simonyan and Zisserman 2015), of 16 and of 19 layers: the last three stages have three
//! convolutions or four.
//!
//! 25 lines of code; 56 in torchvision 0.29.2 (models/vgg.py: `VGG`, `make_layers`, `cfgs`).
use std.classic.conv_relu

space vgg(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)

    let depth = choose depth [16, 19]
    let late = if depth == 16 { 3 } else { 4 }
    var x = image
    for (channels, convs) in [(64, 2), (128, 2), (256, late), (512, late), (512, late)] {
        x = x -> repeat convs { conv_relu(channels, kernel = 3) } -> max_pool(2)
    }
    output logits = x -> flatten -> repeat 2 { linear(4096) -> relu -> dropout } -> linear(classes)
}

arch vgg16 of vgg {
    depth = [16]
    expect macs == 15_470_264_320
    expect params == 138_357_544
    expect params ~= 138M
}

arch vgg19 of vgg {
    depth = [19]
    expect macs == 19_632_062_464
    expect params == 143_667_240
    expect macs ~= 19.6G
}

expect vgg.count == 2
