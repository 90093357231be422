const MOST = 5

target npu {
    supports {
        conv(kernel <= MOST, groups == 1)
        conv(kernel <= 3)
        relu, add
        tanh(MOST == 7)
    }
}

block layer(x, stride = 1) {
    x -> choose op {
        for k in [3, 5, 7, 9] {
            "k{k}": conv(8, kernel = k, stride = stride) // error[nas::target::unsupported]
        }
        for k in [3, 5], g in [1, 8] {
            "g{g}_k{k}": conv(8, kernel = k, stride = stride, groups = g) // error[nas::target::unsupported]
        }
        for k in [3, 7] {
            "b{k}": conv(8, kernel = k, stride = stride, bias = true) if stride == 1 // error[nas::target::unsupported]
        }
        plain: conv(8, kernel = 1, stride = stride) -> tanh // error[nas::target::unsupported]
    }
}

space demo for npu {
    input x: [8, 32, 32]
    let y = x -> layer -> layer(stride = 2)
    let z = y -> conv(8, kernel = elastic kernel [3, 5, 7, 9]) // error[nas::target::unsupported]
    let w = z -> choose act {
        gate: sigmoid // error[nas::target::unsupported]
        line: tanh // error[nas::target::unsupported]
    }
    output o = w -> conv(8, kernel = 3, groups = 2) -> choose width {
        wide: conv(8, kernel = (9, 1)) // error[nas::target::unsupported]
        tall: conv(8, kernel = (1, 5))
    }
}
