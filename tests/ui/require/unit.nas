space demo {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 3)
    require latency <= 25 // error[nas::require::unit]
    require 1_000 >= latency // error[nas::require::unit]
    require latency >= 0
}
