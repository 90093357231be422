space demo {
    input image: [3, 32, 32]
    task segmentation(7)
    let y = image -> conv(8, kernel = 3, stride = 2)
    output logits = y -> conv(7, kernel = 1) -> resize(scale = 2)
    train output aux = y -> conv(7, kernel = 1) // error[nas::space::task_output]
}
