space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..4000000000 { // error[nas::limits::length]
        y = y -> relu
    }
    output out = y
}
