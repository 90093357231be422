space demo {
    input x: [3, 32, 32]
    let half = x -> max_pool(2)
    let y = concat(x, half) // error[nas::shape::mismatch]
    output out = y
}
