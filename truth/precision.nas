//! The garments of the demo for a device of integers, with the precision of each layer left open or not: docs/tuning.md holds
//! searches in both against each other.
use std.blocks.{conv_bn_relu, mbconv}

target npu {
    precision int8
}

/// One searched layer, as that of the demo.
block layer(x, out, stride) {
    x -> choose op {
        identity: if stride == 1 and x.channels == out {
            identity
        } else {
            conv_bn_relu(out, kernel = 1, stride)
        }
        k3_e2: mbconv(out, stride, kernel = 3, expand = 2)
        k5_e4: mbconv(out, stride, kernel = 5, expand = 4)
    }
}

/// Every layer computes with integers.
space whole(classes = 10, size = 28, most = 16K) for npu {
    require weight_bytes <= most
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn_relu(8, kernel = 3, stride = 2)
    for (channels, stride) in [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2)] {
        x = x -> layer(channels, stride)
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

/// Each layer computes with integers or with 16-bit floats, which take twice the bytes.
space mixed(classes = 10, size = 28, most = 16K) for npu {
    require weight_bytes <= most
    input image: [3, size, size]
    task classification(classes)
    var x = image -> conv_bn_relu(8, kernel = 3, stride = 2)
    for (channels, stride) in [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2)] {
        x = x -> layer(channels, stride, precision = choose precision [int8, fp16])
    }
    output logits = x -> global_avg_pool -> linear(classes)
}

/// That of the demo, within a limit of bytes.
search of_whole of whole {
    strategy proxyless { gradient = reinforce, networks = 4 }
    minimize cross_entropy + max(0, weight_bytes / 16K - 1)
    data garments { path = "../spaces/data/garments", val = 0.1, batch = 16 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.02 }
    schedule { epochs = 5, warmup = 2, split = 0.8 }
    derive { sample = 24, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}

search of_mixed of mixed {
    strategy proxyless { gradient = reinforce, networks = 4 }
    minimize cross_entropy + max(0, weight_bytes / 16K - 1)
    data garments { path = "../spaces/data/garments", val = 0.1, batch = 16 }
    weights sgd { rate = 0.05 -> 0 }
    choices adam { rate = 0.02 }
    schedule { epochs = 5, warmup = 2, split = 0.8 }
    derive { sample = 24, finalists = 2, epochs = 4 }
    retrain { epochs = 4, rate = 0.1 -> 0, batch = 64 }
}
