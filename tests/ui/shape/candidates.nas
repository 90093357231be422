space demo {
    input x: [3, 32, 32]
    let y = x -> choose op { // error[nas::shape::candidates]
        small: conv(8, kernel = 3)
        large: conv(8, kernel = 5)
        skip: identity
    }
    output out = y
}
