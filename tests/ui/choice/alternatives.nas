space demo {
    input x: [3, 32, 32]
    let k = choose kernel [3, 5]
    let d = choose dilation [1, k / 2] // error[nas::choice::alternatives]
    output out = x -> conv(8, kernel = k, dilation = d)
}
