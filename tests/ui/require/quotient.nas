//! The label of a quotient says the best possible one, the help rounds it so that it can be kept.
use std.blocks.conv_bn_relu

space tiny {
    input x: [3, 32, 32]
    task classification(10)
    var y = x
    for c in [8, 16] {
        y = y -> choose op {
            small: conv_bn_relu(c, kernel = 3, stride = 2)
            large: conv_bn_relu(c, kernel = 5, stride = 2)
            wide: conv_bn_relu(2 * c, kernel = 3) -> conv_bn_relu(c, kernel = 1, stride = 2)
        }
    }
    output logits = y -> global_avg_pool -> linear(10)
    require macs / params <= 50 // error[nas::require::impossible]
    require params / (macs + 1K) >= 0.1 // error[nas::require::impossible]
    require macs <= 40 * params // error[nas::require::impossible]
    require peak_memory + weight_bytes <= 16KiB // error[nas::require::impossible]
    require peak_memory / weight_bytes >= 2 and not macs / params > 200
}
