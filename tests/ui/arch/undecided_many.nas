space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..9 {
        y = y -> choose op { a: relu, b: sigmoid }
    }
    output out = y
}

arch none of demo {} // error[nas::arch::undecided]
