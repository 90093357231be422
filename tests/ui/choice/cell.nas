cell layer(x, out) {
    x -> choose op { // error[nas::choice::cell]
        thin: conv(out, kernel = 1)
        wide: conv(out, kernel = 3)
        skip: identity if x.channels == out
    }
}

space demo {
    input x: [3, 32, 32]
    output out = x -> layer(8) -> layer(8)
}
