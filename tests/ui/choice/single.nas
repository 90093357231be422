space demo {
    input x: [3, 32, 32]
    let y = x -> choose op { // warning[nas::choice::single]
        only: conv(8, kernel = 3)
    }
    output out = y
}
