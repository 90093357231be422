space demo {
    input x: [3, 32, 32]
    output out = x -> choose op { // error[nas::shape::candidates]
        one: conv(8, kernel = 1)
        two: conv(16, kernel = 1)
        three: conv(24, kernel = 1)
    }
}
