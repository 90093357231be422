block b(x, out = 8) {
    x -> conv(out, kernel = 3)
}

space demo {
    input x: [3, 32, 32]
    let y = x
        -> b(kk = 3) // error[nas::args::unknown]
        -> b(1, 2, 3) // error[nas::args::too_many]
        -> conv(8, kernal = 3) // error[nas::args::unknown]
        -> choose op {
            wide: conv(y_channels, 2.5) // error[nas::names::unknown] error[nas::args::kind]
            deep: b(1.5) -> relu(3) // error[nas::args::too_many]
        }
    let fine = y -> conv(y.channels, kernel = choose k [3, 5]) -> b
    output out = fine + y
}
