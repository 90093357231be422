block stage(x) { x -> unit -> unit }

block unit(x) {
    x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
}

space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..2 { y = y -> stage }
    output out = y
}

arch tiny of demo {
    "unit.0/op" = k3 // error[nas::arch::decision]
    "unit.1/op" = k5
    "unit.2/op" = k3
    "unit.3/op" = k3
}
