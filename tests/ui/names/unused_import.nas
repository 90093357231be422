use std.blocks.{conv_bn_relu, factorized_reduce} // warning[nas::names::unused]

space demo {
    input x: [3, 32, 32]
    let y = x -> conv_bn_relu(8, kernel = 3)
    output out = y
}
