space demo {
    input x: [3, 32, 32]
    require macs <= 1M
    output out = x -> choose op {
        k3: conv(16, kernel = 3)
        k5: conv(16, kernel = 5)
    }
}

arch large of demo { // warning[nas::require::broken]
    op = [k5]
}
