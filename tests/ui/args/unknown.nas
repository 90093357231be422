space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = 3, strid = 2) // error[nas::args::unknown]
    output out = y
}
