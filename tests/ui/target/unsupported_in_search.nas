target npu {
    supports { conv(kernel <= 3), relu }
}

block layer(x, most) {
    x -> choose op {
        small: conv(8, kernel = 3)
        large: conv(8, kernel = most)
    }
}

space demo(most = 3) {
    input x: [8, 32, 32]
    task segmentation(8)
    output y = x -> layer(most) -> relu
}

search fits of demo for npu { }

search misses of demo(most = 7) for npu { } // error[nas::target::unsupported]
