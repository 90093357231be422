target npu {
    supports { conv, relu }
}

space demo for npuu { // error[nas::target::unknown]
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 3) -> relu
}
