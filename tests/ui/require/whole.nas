space demo {
    input x: [8, 16, 16]
    output y = x -> choose op { skip: identity, conv: conv(8, kernel = 3) }
        -> choose op { skip: identity, conv: conv(8, kernel = 3) }
    require count(op == skip) <= 1.5 // error[nas::require::whole]
    require 2ms > count(op == skip) // error[nas::require::whole]
    require 2 * count(op == skip) + 1 == 2.5 // error[nas::require::whole]
    require count(op == skip) / 2 >= 0.5
}
