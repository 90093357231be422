space demo {
    input x: [3, 32, 32]
    let y = x -> resize(scale = 1000000) // error[nas::shape::overflow]
    output out = y
}
