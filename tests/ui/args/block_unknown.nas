block stem(x, out) { x -> conv(out, kernel = 3) }

space demo {
    input x: [3, 32, 32]
    let y = x -> stem(8, stride = 2) // error[nas::args::unknown]
    output out = y
}
