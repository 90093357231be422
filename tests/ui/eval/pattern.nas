space demo {
    input x: [3, 32, 32]
    let (out, kernel) = (8, 3, 1) // error[nas::eval::pattern]
    let y = x -> conv(out, kernel)
    output out = y
}
