block unit(x) {
    x -> choose op { skip: identity, conv: conv(8, kernel = choose kernel [3, 5]) }
}

space demo {
    input x: [8, 16, 16]
    require count(opp == skip) <= 2 // error[nas::require::decision]
    output y = x -> unit -> unit -> unit
    require count(op == skip) <= 1 and count(stride == 2) == 1 // error[nas::require::decision]
    require monotone(kernels) // error[nas::require::decision]
}

space fixed {
    input x: [8, 16, 16]
    output y = x -> conv(8, kernel = 3)
    require count(op == skip) <= 2 // error[nas::require::decision]
}
