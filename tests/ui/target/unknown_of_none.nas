space demo {
    input x: [3, 32, 32]
    output y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
}

search quick of demo for npu { // error[nas::target::unknown]
    schedule { epochs = 3 }
}
