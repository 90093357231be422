space demo {
    input x: [3, 32, 32]
    let factors = choose 2 factor [1, 2, 4]
    output out = x -> conv(sum(factors), kernel = 3, groups = 3) // error[nas::shape::groups]
}
