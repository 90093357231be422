//! The demo: SqueezeNAS units on 64 x 64 tiles of satellite images, smaller and shallower.
use std.blocks.conv_bn_relu
use std.heads.lr_aspp_global
use squeezenas_units.unit

space landcover_demo(classes = 7, size = 64) {
    input image: [3, size, size]
    task segmentation(classes, ignore = 255)

    var x = image -> conv_bn_relu(16, kernel = 3, stride = 2)
    var low = x
    for (channels, repeats, stride) in [(24, 2, 1), (40, 3, 2), (64, 3, 1)] {
        for i in 0..repeats {
            x = x -> unit(channels, stride = if i == 0 { stride } else { 1 })
        }
        if channels == 24 { low = x }
    }
    output logits = (x, low) -> lr_aspp_global(classes, mid = 64, upsample = 2)
}

search demo of landcover_demo {
    strategy proxyless { gradient = reinforce }
    minimize cross_entropy + 0.002 * macs / 1M
    data landcover { path = "data/landcover", flip = true, batch = 16 }
    schedule { epochs = 50, warmup = 15, split = 0.8 }
    derive { sample = 12, keep = 3 }
    retrain { epochs = 50 }
}

expect landcover_demo.count == 13 ^ 8
