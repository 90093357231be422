space demo {
    input x: [3, 32, 32]
    x -> relu // warning[nas::eval::unused_value]
    let y = x -> sigmoid
    output out = y
}
