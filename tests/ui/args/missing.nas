space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8) // error[nas::args::missing]
    output out = y
}
