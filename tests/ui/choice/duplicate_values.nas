const KERNELS = [3, 5]

space demo {
    input x: [3, 32, 32]
    output out = x -> conv(8, kernel = elastic kernel (KERNELS + [3])) // error[nas::choice::duplicate]
}
