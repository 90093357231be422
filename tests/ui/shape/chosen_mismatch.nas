block unit(x, padding) {
    let k = choose k [3, 5]
    let y = x -> conv(x.channels, kernel = k, padding = padding)
    x + y // error[nas::shape::mismatch]
}

space demo {
    input image: [3, 32, 32]
    var x = image -> conv(8, kernel = 1)
    for padding in ["same", "same", "same"] {
        x = x -> unit(padding)
    }
    output out = x -> unit(1)
}
