space demo {
    input x: [3, 32, 32]
    output y = x -> choose op {
        small: conv(8, kernel = 3)
        large: conv(8, kernel = 5, bias = true)
        none: conv(8, kernel = 1)
    }
    require macs / params <= 1024 // warning[nas::require::always]
    require macs / (2 * params + 1) >= 400 // warning[nas::require::always]
    require params / macs >= 1 / 2K // warning[nas::require::always]
    require macs <= 2K * params // warning[nas::require::always]
    require macs / (params + 1) <= 1010
}
