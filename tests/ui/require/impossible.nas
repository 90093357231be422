//! The label of a requirement that no network keeps says the best possible figure, both ways.
use std.blocks.conv_bn_relu

space tiny {
    input x: [3, 32, 32]
    task classification(10)
    var y = x
    for c in [8, 16] {
        y = y -> choose op {
            small: conv_bn_relu(c, kernel = 3, stride = 2)
            large: conv_bn_relu(c, kernel = 5, stride = 2)
        }
    }
    output logits = y -> global_avg_pool -> linear(10)
    require macs <= 100K // error[nas::require::impossible]
    require params >= 1M // error[nas::require::impossible]
    require weight_bytes < 4 * 1K // error[nas::require::impossible]
    require macs / 1M + 2 * params / 1K <= 1 // error[nas::require::impossible]
}
