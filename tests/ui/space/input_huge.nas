space demo {
    input x: [3, 4000000000, 4000000000] // error[nas::space::input_shape]
    let y = x -> relu
    output out = y
}
