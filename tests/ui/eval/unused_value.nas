space demo {
    input x: [3, 32, 32]
    x.channels + 1 // warning[nas::eval::unused_value]
    let y = x -> relu
    output out = y
}
