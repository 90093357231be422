space demo { // error[nas::space::no_output]
    input image: [3, 32, 32]
    train output aux = image -> relu
}
