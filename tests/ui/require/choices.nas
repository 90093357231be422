space demo {
    input x: [8, 16, 16]
    output y = x -> choose op { skip: identity, conv: conv(8, kernel = 3) }
        -> conv(8, kernel = choose kernel [3, 5]) -> conv(8, kernel = choose kernel [3, 5])
    require count(op) <= 1 // error[nas::require::choices]
    require count() <= 1 // error[nas::require::choices]
    require count(op == skip, kernel == 3) <= 1 // error[nas::require::choices]
    require count(op == skip and kernel == 3) <= 1 // error[nas::require::choices]
    require count(3 == 5) <= 1 // error[nas::require::choices]
    require count(op == [for k in [3, 5] { k }]) <= 1 // error[nas::require::choices]
    require count(kernel < "five") <= 1 // error[nas::require::choices]
    require monotone() // error[nas::require::choices]
    require monotone(kernel + 1) // error[nas::require::choices]
    require monotone(kernel, op) // error[nas::require::choices]
    require monotone(kernel, decreasing = 1) // error[nas::require::choices]
}
