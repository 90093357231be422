space demo {
    input x: [16, 32, 32]
    let g = choose groups [1, 2, 3]
    output out = x -> conv(16, kernel = 3, groups = g) // error[nas::shape::groups]
}
