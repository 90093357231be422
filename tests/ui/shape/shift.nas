space demo {
    input x: [16, 32, 32]
    let y = x -> shift(4) // error[nas::shape::window]
    let z = x -> shift(5) // error[nas::shape::window]
    output out = concat(y, z)
}
