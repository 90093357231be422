space demo {
    input x: [3, 32, 32]
    let deep = x -> conv(8, kernel = 3)
    let y = x + deep // error[nas::shape::mismatch]
    output out = y
}
