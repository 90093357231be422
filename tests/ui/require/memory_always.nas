space demo {
    input x: [3, 32, 32]
    let wide = x -> choose op {
        small: conv(8, kernel = 3) -> relu -> conv(8, kernel = 3)
        large: conv(24, kernel = 3) -> relu -> conv(8, kernel = 3)
    }
    output y = wide -> conv(2, kernel = 1)
    require peak_memory <= 16MiB // warning[nas::require::always]
    require depth >= 1 // warning[nas::require::always]
    require peak_memory <= 120KiB
}
