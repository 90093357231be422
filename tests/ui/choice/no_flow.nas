space demo {
    input x: [3, 32, 32]
    let y = choose op {
        a: relu // error[nas::choice::kind]
        b: sigmoid
    }
    output out = x + y
}
