space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..2 {
        y = y -> choose op {
            k3: conv(3, kernel = 3)
            k5: conv(3, kernel = 5)
        }
    }
    output out = y
}

arch tiny of demo {
    op = [k3, k5]
    expect macs == 1M // error[nas::expect::failed]
    expect mac == 313344 // error[nas::expect::measure]
}
