block unit(x) {
    x -> choose op { skip: identity, conv: conv(8, kernel = choose kernel [3, 5]) }
}

space demo {
    input x: [8, 16, 16]
    output y = x -> unit -> unit -> unit
    require count(op == skip) <= 1
    require monotone(kernel)
}

arch good of demo {
    op = [conv, skip, conv]
    kernel = [3, 5]
}

arch shallow of demo { // warning[nas::require::broken]
    op = [skip, skip, conv]
    kernel = [5]
}

arch falling of demo { // warning[nas::require::broken]
    op = [conv, skip, conv]
    kernel = [5, 3]
}
