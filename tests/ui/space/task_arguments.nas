space demo {
    input x: [3, 32, 32]
    task segmentation(1000) // error[nas::eval::kind]
    let y = x -> relu
    output out = y
}
