block unit(x) {
    x -> choose op { skip: identity, conv: conv(8, kernel = choose kernel [3, 5]) }
}

space counts {
    input x: [8, 16, 16]
    output y = x -> unit -> unit -> unit
    require count(op == skip) <= 1
    require macs <= 200K // error[nas::require::together]
}

space orders {
    input x: [8, 16, 16]
    output y = x -> unit -> unit
    require monotone(kernel)
    require count(kernel == 3) == 1 and count(kernel == 5) == 1
    require macs <= 500K // error[nas::require::together]
}

space both {
    input x: [8, 16, 16]
    let a = x -> conv(choose width [8, 16], kernel = choose kernel [3, 5])
    output y = a -> conv(choose width [8, 16], kernel = choose kernel [3, 5]) -> conv(8, kernel = 1)
    require monotone(width)
    require monotone(kernel)
    require count(width == 16) >= 1 and count(width == 8) >= 1
    require count(kernel == 5) >= 1 and count(kernel == 3) >= 1
}

space turns {
    input x: [8, 16, 16]
    let a = x -> conv(choose width [8, 16], kernel = 3)
    output y = a -> conv(choose width [12, 20], kernel = 3) -> conv(8, kernel = 1)
    require monotone(width)
    require monotone(width, decreasing = true) // error[nas::require::together]
}
