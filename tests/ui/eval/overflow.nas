space demo {
    input x: [3, 32, 32]
    let k = 2 ^ 4000000000 // error[nas::eval::overflow]
    let y = x -> conv(k, kernel = 3)
    output out = y
}
