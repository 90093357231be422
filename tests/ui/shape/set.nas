space demo {
    input x: [3, 32, 32]
    let kept = x -> choose 2 branch { // error[nas::shape::candidates]
        thin: conv(8, kernel = 1)
        wide: conv(8, kernel = 3)
        deep: conv(16, kernel = 3)
    }
    output out = sum(kept)
}
