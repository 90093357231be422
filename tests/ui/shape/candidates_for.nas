space demo {
    input x: [3, 32, 32]
    let y = x -> choose op { // error[nas::shape::candidates]
        for k in [3, 5, 7] { "same{k}": conv(8, kernel = k) }
        for k in [3, 5] { "valid{k}": conv(8, kernel = k, padding = "valid") }
    }
    output out = y
}
