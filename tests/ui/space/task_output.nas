space demo {
    input x: [3, 32, 32]
    task segmentation(7)
    let y = x -> conv(8, kernel = 3)
    output out = y // error[nas::space::task_output]
}
