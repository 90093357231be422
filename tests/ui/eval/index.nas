space demo {
    input x: [3, 32, 32]
    let kernels = [3, 5]
    let y = x -> conv(8, kernel = kernels[2]) // error[nas::eval::index]
    output out = y
}
