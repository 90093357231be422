space demo {
    input x: [3, 32, 32]
    task segmentation(3)
    task segmentation(3) // error[nas::space::second_task]
    let y = x -> relu
    output out = y
}
