space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, 3, kernel = 5) // error[nas::args::repeated]
    output out = y
}
