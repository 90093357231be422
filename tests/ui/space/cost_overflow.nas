space demo { // error[nas::space::cost_overflow]
    input x: [3, 1024, 1024]
    var y = x
    for _i in 0..140_000 {
        y = y -> conv(4096, kernel = 3)
    }
    output out = y
}
