//! The best possible quotient among the networks that keep the other requirement.
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
    require max(params, macs / 200) <= 3_500
    require macs / params <= 75 // error[nas::require::together]
}
