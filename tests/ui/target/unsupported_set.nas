target npu {
    supports {
        conv(kernel <= 3), relu, add
        max_pool(padding_after <= padding_before)
        resize(scale <= 2)
    }
}

space demo for npu {
    input x: [8, 32, 32]
    let pair = choose 2 op {
        near: x -> conv(8, kernel = 3)
        rect: x -> relu
        far: x -> conv(8, kernel = 5) // error[nas::target::unsupported]
    }
    let y = sum(pair) -> max_pool(3, 2, ceil = true) // error[nas::target::unsupported]
    output z = y -> max_pool(3, 1, padding = "same") -> resize(size = (64, 16)) // error[nas::target::unsupported]
}
