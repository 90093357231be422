space demo {
    input x: [3, 32, 32]
    task segmentation() // error[nas::args::missing]
    let y = x -> relu
    output out = y
}
