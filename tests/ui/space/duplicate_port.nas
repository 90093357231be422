space demo {
    input x: [3, 32, 32]
    let y = x -> relu
    output out = x
    output out = y // error[nas::space::duplicate_port]
}
