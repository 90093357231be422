target npu {
    supports {
        conv(kernel <= 3, dilation == 1, groups == 1 or groups == channels)
        max_pool(kernel <= 3, stride == 1)
        max_pool(kernel == 2)
        relu(channels <= 16), concat
        resize(mode == "nearest")
    }
}

space demo for npu {
    input x: [8, 32, 32]
    let y = x -> choose op {
        k3: conv(8, kernel = 3) -> batch_norm
        k5: conv(8, kernel = 5) -> batch_norm // error[nas::target::unsupported]
        either: conv(8, kernel = elastic kernel [3, 7]) // error[nas::target::unsupported]
        dilated: conv(8, kernel = 3, dilation = 2) // error[nas::target::unsupported]
        single: conv(8, kernel = 3, groups = 8)
        grouped: conv(8, kernel = 3, groups = 4) // error[nas::target::unsupported]
        none: zero -> dropout(0.1)
        gate: sigmoid // error[nas::target::unsupported]
    }
    let wide = concat(y, y, y) -> relu // error[nas::target::unsupported]
    let small = wide -> max_pool(2, 2)
    let flat = small -> max_pool((1, 5), padding = "same") // error[nas::target::unsupported]
    output large = flat -> resize(scale = 2, mode = "bilinear") // error[nas::target::unsupported]
}
