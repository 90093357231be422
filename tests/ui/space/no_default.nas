space demo(size) { // error[nas::space::no_default]
    input x: [3, size, size]
    output out = x -> relu
}
