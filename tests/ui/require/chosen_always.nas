block unit(x) {
    x -> choose op { skip: identity, conv: conv(8, kernel = choose kernel [3, 5]) }
}

space counts {
    input x: [8, 16, 16]
    output y = x -> unit -> unit
    require count(op == skip) <= 2 // warning[nas::require::always]
    require count(kernel > 5) < 1 // warning[nas::require::always]
}

space orders {
    input x: [8, 16, 16]
    let wide = x -> conv(choose width [32, 64], kernel = 3)
    output y = wide -> conv(choose width [16, 32], kernel = 1) -> conv(8, kernel = 1)
    require monotone(width, decreasing = true) // warning[nas::require::always]
}
