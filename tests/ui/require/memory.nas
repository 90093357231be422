//! What is no sum is held against the bounds on it.
space demo {
    input x: [3, 32, 32]
    let wide = x -> choose op {
        small: conv(8, kernel = 3) -> relu -> conv(8, kernel = 3)
        large: conv(24, kernel = 3) -> relu -> conv(8, kernel = 3)
        none: conv(8, kernel = 1)
    }
    output y = wide -> conv(2, kernel = 1)
    require peak_memory <= 16KiB // error[nas::require::impossible]
    require depth >= 9 // error[nas::require::impossible]
    require depth <= 2
}
