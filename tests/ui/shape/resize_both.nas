space demo {
    input x: [3, 32, 32]
    let y = x -> resize(size = 8, scale = 2) // error[nas::shape::mismatch]
    output out = y
}
