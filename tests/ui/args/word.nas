space demo {
    input x: [3, 32, 32]
    let y = x -> resize(scale = 2, mode = "bilinaer") // error[nas::args::kind]
    output out = y
}
