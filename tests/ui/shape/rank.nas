space demo {
    input x: [3, 32, 32]
    let y = x -> flatten -> conv(8, kernel = 3) // error[nas::shape::rank]
    output out = y
}
