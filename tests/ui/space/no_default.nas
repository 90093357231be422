space demo(size) { // error[nas::space::no_default] error[nas::args::missing]
    input x: [3, size, size]
    output out = x -> relu
}
