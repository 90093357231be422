space demo {
    input x: [3, 32] // error[nas::space::input_shape]
    let y = x -> relu
    output out = y
}
