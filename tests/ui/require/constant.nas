// The networks that do not read their input are cheap, and requirements do not speak of them.
space demo {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 1) -> choose op {
        none: zero
        plain: conv(8, kernel = 3)
    }
    require macs <= 1K // error[nas::require::impossible]
}
