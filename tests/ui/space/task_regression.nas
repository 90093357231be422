space demo {
    input x: [3, 32, 32]
    task regression(1)
    let y = x -> conv(8, kernel = 3, stride = 2)
    output out = y // error[nas::space::task_output]
}
