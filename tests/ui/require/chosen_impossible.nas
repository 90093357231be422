block unit(x) {
    x -> choose op { skip: identity, conv: conv(8, kernel = choose kernel [3, 5]), pool: max_pool(3, 1, padding = "same") }
}

space counts {
    input x: [8, 16, 16]
    output y = x -> unit -> unit -> unit
    require count(op == skip) >= 4 // error[nas::require::impossible]
    require count(kernel != 3) > 3 // error[nas::require::impossible]
    require count(op == conv) - count(kernel == 3) - count(kernel == 5) >= 1 // error[nas::require::impossible]
}

space orders {
    input x: [8, 16, 16]
    let wide = x -> conv(choose width [32, 64], kernel = 3)
    output y = wide -> conv(choose width [16, 24], kernel = 1) -> conv(8, kernel = 1)
    require monotone(width) // error[nas::require::impossible]
}
