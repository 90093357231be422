use std.blocks.inverted_residual

space demo {
    input x: [3, 32, 32]
    let y = x -> inverted_residual(8, groups = 2) // error[nas::shape::groups]
    output out = y
}
