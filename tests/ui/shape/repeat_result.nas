block stage(x) {
    x -> repeat elastic depth [1, 2, 3] as i {
        conv(8 * (i + 1), kernel = 3)
    }
}

space demo {
    input x: [8, 32, 32]
    let y = x -> stage
    output out = x + y // error[nas::shape::mismatch]
}
