target npu {
    supports { conv, relu }
}

block residual(x) {
    x + (x -> conv(x.channels, kernel = 3) -> relu) // error[nas::target::unsupported]
}

space demo for npu {
    input x: [8, 32, 32]
    output y = x -> residual -> residual
}
