block stem(x) {
    let _y = x -> relu // error[nas::eval::kind]
}

space demo {
    input x: [3, 32, 32]
    output out = x -> stem -> sigmoid
}
