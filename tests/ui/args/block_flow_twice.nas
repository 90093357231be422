block stem(x, out) { x -> conv(out, kernel = 3) }

space demo {
    input x: [3, 32, 32]
    let y = x -> stem(x, 8) // error[nas::args::too_many]
    output out = y
}
