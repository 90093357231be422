
space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = size) // error[nas::names::unknown]
    output out = y
}
