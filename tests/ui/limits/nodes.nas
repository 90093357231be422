space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..1_000_000, _j in 0..10 {
        y = y -> relu // error[nas::limits::nodes]
    }
    output out = y
}
