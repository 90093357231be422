space demo {
    input x: [3, 32, 32]
    let y = x + 1 // error[nas::eval::operands]
    output out = y
}
