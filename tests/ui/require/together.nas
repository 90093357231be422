//! Each can be kept alone; the third has no part in the contradiction.
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
    require macs <= 200K
    require params >= 3K // error[nas::require::together]
    require weight_bytes <= 1G
}
