//! AlexNet (Krizhevsky 2014, in one column): one network.
//!
//! 17 lines of code; 35 in torchvision 0.29.2 (models/alexnet.py: `AlexNet`).
use std.classic.conv_relu

space alexnet(classes = 1000, size = 224) {
    input image: [3, size, size]
    task classification(classes)

    let features = image -> conv_relu(64, kernel = 11, stride = 4, padding = 2)
        -> max_pool(3, stride = 2) -> conv_relu(192, kernel = 5) -> max_pool(3, stride = 2)
        -> conv_relu(384, kernel = 3) -> conv_relu(256, kernel = 3) -> conv_relu(256, kernel = 3)
        -> max_pool(3, stride = 2)
    output logits = features -> flatten -> repeat 2 { dropout -> linear(4096) -> relu }
        -> linear(classes)
}

/// Published: FLOP, two to a multiply-accumulate.
arch torchvision of alexnet {
    expect macs == 714_188_480
    expect params == 61_100_840
    expect 2 * macs ~= 1.4G
}

expect alexnet.count == 1
