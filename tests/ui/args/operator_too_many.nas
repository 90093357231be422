space demo {
    input x: [3, 32, 32]
    let y = x -> relu(6) // error[nas::args::too_many]
    output out = y
}
