use std.bloks.stem // error[nas::names::module] error[nas::space::no_output]

space demo {
    input x: [3, 32, 32]
    let y = x -> stem
    output out = y
}
