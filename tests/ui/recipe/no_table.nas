target board {
    precision int8
}

space demo {
    input x: [3, 32, 32]
    task segmentation(2)
    output y = x -> choose op {
        small: conv(2, kernel = 3)
        large: conv(2, kernel = 5)
    }
}

search fast of demo for board { // error[nas::recipe::no_table]
    minimize cross_entropy + 0.1 * latency / 1ms
}
