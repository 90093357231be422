space demo {
    input x: [3, 32, 32]
    let y = x -> choose 3 ops { // error[nas::choice::count]
        thin: conv(8, kernel = 1)
        wide: conv(8, kernel = 3)
    }
    output out = sum(y)
}
