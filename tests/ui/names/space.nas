space demo {
    input x: [3, 32, 32]
    let y = x -> relu
    output out = y
}

arch tiny of dem {} // error[nas::names::space]
