space demo { // error[nas::space::no_output]
    input x: [3, 32, 32]
}
