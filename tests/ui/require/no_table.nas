target board {
    precision int8
}

space demo for board {
    input x: [3, 32, 32]
    output y = x -> choose op {
        small: conv(8, kernel = 3)
        large: conv(8, kernel = 5)
    }
    require latency <= 12ms // error[nas::require::no_table]
}
