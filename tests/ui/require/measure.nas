space demo {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 3)
    require latency <= 12ms and depth < 20
    require mac <= 300M // error[nas::require::measure]
    require macs <= 300M or flops <= 600M // error[nas::require::measure]
}
