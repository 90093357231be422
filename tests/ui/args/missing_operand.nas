space demo {
    input x: [3, 32, 32]
    let y = conv(8, kernel = 3) + x // error[nas::args::operands]
    output out = y
}
