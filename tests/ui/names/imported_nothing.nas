use std.bloks.conv_bn_relu // error[nas::names::module]

space demo {
    input x: [3, 32, 32]
    let y = x -> conv_bn_relu(8, kernel = 3)
    output out = y
}
