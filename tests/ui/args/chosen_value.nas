space demo {
    input x: [8, 16, 16]
    let k = choose k [0, 3]
    output out = x -> conv(8, kernel = k) // error[nas::args::kind]
}
