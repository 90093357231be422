space demo {
    input x: [3, 32, 32]
    let y = x -> choose op { // error[nas::choice::empty]
        wide: conv(8, kernel = 3) if x.channels > 16
    }
    output out = y
}
