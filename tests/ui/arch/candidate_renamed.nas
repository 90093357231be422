block unit(x) {
    x -> choose op {
        thin: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
}

space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..3 { y = y -> unit }
    output out = y
}

arch tiny of demo {
    "unit.0/op" = k3 // error[nas::arch::candidate]
    "unit.1/op" = k5
    "unit.2/op" = k3
}
