space demo {
    input x: [3, 32, 32]
    let a = x -> conv(filters = 8, kernel = 3) // error[nas::args::unknown]
    let b = x -> conv(8, kernel = 3, in_channels = 3) // error[nas::args::unknown]
    let c = x -> conv(8, kernel = 3, strides = 2) // error[nas::args::unknown]
    let d = x -> conv(8, kernel = 3, padding = "VALID") // error[nas::args::kind]
    output out = (a, b, c, d) -> concat
}
