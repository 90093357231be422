space demo {
    input x: [3, 32, 32]
    output out = x -> resize(scale = 0.5) // error[nas::args::kind]
}
