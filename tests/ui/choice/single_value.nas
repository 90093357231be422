space demo {
    input x: [3, 32, 32]
    output out = x -> conv(8, kernel = choose kernel [3]) // warning[nas::choice::single]
}
