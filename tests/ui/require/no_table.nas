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

space alone {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = choose k [3, 5])
    require latency + macs / 1G <= 12ms // error[nas::require::no_table]
    require macs <= 300K
}

search plain of alone {}
