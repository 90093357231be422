space demo {
    input x: [3, 32, 32]
    task multilabel(0) // error[nas::eval::kind]
    let y = x -> relu
    output out = y
}
