space demo {
    input x: [3, 32, 32]
    let y = x -> avg_pool(49) // error[nas::shape::window]
    output out = y
}
