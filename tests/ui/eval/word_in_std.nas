use std.blocks.conv_bn

space demo {
    input x: [3, 32, 32]
    output out = x -> conv_bn(8, kernel = 3, act = "rleu") // error[nas::eval::call]
}
