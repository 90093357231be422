space demo {
    input x: [8, 16, 16]
    output y = x -> choose op { skip: identity, conv: conv(8, kernel = 3) }
        -> conv(8, kernel = choose kernel [3, (3, 5)]) -> conv(8, kernel = choose kernel [3, 5])
    require monotone(op) // error[nas::require::order]
    require monotone(kernel, decreasing = true) // error[nas::require::order]
    require count(op >= 3) <= 1 // error[nas::require::order]
}
