space demo {
    input x: [1, 3, 32, 32] // error[nas::space::input_shape]
    output out = x -> relu
}
