block stage(x) { x -> unit -> unit }

block unit(x) {
    x -> choose op {
        k3: conv(3, kernel = choose kernel [1, 3])
        k5: conv(3, kernel = 5)
    }
}

space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..1 { y = y -> stage }
    output out = y
}

arch tiny of demo {
    "unit.0/op" = k3 // error[nas::arch::decision]
    "unit.0/op=k3/kernel" = 1
    "unit.1/op" = k5
}
