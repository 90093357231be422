space demo {
    input x: [3, 32, 32]
    let y = x -> linear(10) // error[nas::shape::rank]
    output out = y
}
