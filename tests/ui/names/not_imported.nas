
use std.blocks.conv_bn_relu

space demo {
    input x: [3, 32, 32]
    let y = x -> conv_bn_relu(8, kernel = 3) -> factorized_reduce(8) // error[nas::names::unknown]
    output out = y
}
