target board {
    supports {
        conv(kernel <= 3, dilation == 1, groups == 1)
    }
}

space demo for board {
    input x: [8, 32, 32]
    let y = x -> conv(8, kernel = 5, dilation = 2) // error[nas::target::unsupported]
    output out = y -> choose op {
        wide: conv(8, kernel = choose kernel [3, 5], groups = 8) // error[nas::target::unsupported]
    }
}
