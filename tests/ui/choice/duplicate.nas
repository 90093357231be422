space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        for k in [3, 5] {
            "conv": conv(8, kernel = k) // error[nas::choice::duplicate]
        }
        large: conv(8, kernel = 7)
    }
    output out = y
}
