space demo {
    input x: [3, 32, 32]
    output y = x -> choose op {
        small: conv(8, kernel = 3)
        large: conv(8, kernel = 5)
    }
    require macs <= 250M // warning[nas::require::always]
    require params >= 1 // warning[nas::require::always]
    require macs <= 250K
}
