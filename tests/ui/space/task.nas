space demo {
    input x: [3, 32, 32]
    task segmentaton(3) // error[nas::space::task]
    let y = x -> relu
    output out = y
}
