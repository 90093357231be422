space demo {
    input x: [3, 32, 32]
    let act = "relu"
    let y = if act > 3 { x } else { x -> relu } // error[nas::eval::operands]
    output out = y
}
