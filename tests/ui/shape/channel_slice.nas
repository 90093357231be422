space demo {
    input x: [16, 32, 32]
    let y = x -> channel_slice(8, 24) // error[nas::shape::window]
    let z = x -> channel_slice(8, 8) // error[nas::shape::window]
    output out = concat(y, z)
}
