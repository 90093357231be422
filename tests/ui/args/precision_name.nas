space demo {
    input x: [3, 32, 32]
    output out = x -> conv(8, kernel = 1, precision = int4) // error[nas::names::unknown]
}
