space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = 3, groups = 2) // error[nas::shape::groups]
    output out = y
}
