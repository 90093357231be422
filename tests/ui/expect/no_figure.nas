space demo {
    input x: [3, 32, 32]
    output y = x -> choose op {
        k1: conv(3, kernel = 1)
        k3: conv(3, kernel = 3)
    }
}

arch plain of demo {
    op = [k1]
    expect latency <= 5ms // error[nas::expect::no_figure]
    expect 2 * latency <= 5ms // error[nas::expect::no_figure]
    expect peak_memory == 24KiB
}

expect demo.latency.max <= 5ms // error[nas::expect::no_figure]
expect demo.depth.min == 1
