space demo {
    input x: [8, 16, 16]
    output y = x -> choose op { skip: identity, conv: conv(8, kernel = 3) }
        -> conv(8, kernel = choose kernel [3, 5]) -> conv(8, kernel = choose kernel [3, 5])
    require count(op == skip) // error[nas::require::claim]
    require not monotone(kernel) // error[nas::require::claim]
    require monotone(kernel) or macs <= 1M // error[nas::require::claim]
    require 0 <= count(op == skip) <= 1 // error[nas::require::claim]
    require monotone(kernel) <= 1 // error[nas::require::not_linear]
    require count(op == skip) <= "two" // error[nas::require::not_linear]
    require count(op == skip) * count(kernel == 3) <= 1 // error[nas::require::not_linear]
}
