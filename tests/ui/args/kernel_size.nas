space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel_size = 3) // error[nas::args::unknown]
    output out = y
}
