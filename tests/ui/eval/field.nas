space demo {
    input x: [3, 32, 32]
    let y = x -> conv(x.depth, kernel = 3) // error[nas::eval::field]
    output out = y
}
