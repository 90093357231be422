space demo {
    input x: [3, 32, 32]
    let act = choose op {
        a: relu
        b: sigmoid
    }
    output out = x + act // error[nas::eval::operands]
}
