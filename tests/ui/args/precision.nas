block unit(x, out) {
    x -> conv(out, kernel = 3) -> batch_norm
}

space demo {
    input x: [3, 32, 32]
    let z = x -> unit(8, precision = choose precision ["int8", "half"]) // error[nas::args::kind]
    output out = z -> conv(8, kernel = 1, precision = 16) // error[nas::args::kind]
}
