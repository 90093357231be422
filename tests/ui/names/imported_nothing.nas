use std.bloks.stem // error[nas::names::module]

space demo {
    input x: [3, 32, 32]
    let y = x -> stem
    output out = y
}
