block unit(x) {
    x -> choose op {
        k3: conv(3, kernel = choose kernel [1, 3])
        k5: conv(3, kernel = 5)
    }
}

space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..3 { y = y -> unit }
    output out = y
}

arch tiny of demo { // error[nas::arch::undecided]
    op = [k3, k5, k3]
}
