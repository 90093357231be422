space demo {
    input x: [3, 32, 32]
    let k = 3
    let y = x -> conv(8, kernel = k[0]) // error[nas::eval::kind]
    output out = y
}
