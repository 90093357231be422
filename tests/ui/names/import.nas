use std.blocks.conv_bn_rel // error[nas::names::import]

space demo {
    input x: [3, 32, 32]
    let y = x -> conv_bn_rel(8, kernel = 3)
    output out = y
}
