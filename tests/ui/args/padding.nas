space demo {
    input x: [16, 32, 32]
    let y = x -> conv(8, 3, padding = "full") // error[nas::args::kind]
    let z = x -> conv(8, 3, padding = (1, 2, 3)) // error[nas::args::kind]
    let w = x -> max_pool(3, padding = ((0, 1), 2)) // error[nas::args::kind]
    output out = concat(y, z, w)
}
