block unit(x) {
    x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
}

space demo {
    input x: [3, 32, 32]
    var y = x
    for _i in 0..3 { y = y -> unit }
    output out = y
}

const KINDS = ["k3", "k7", "k7"]

arch tiny of demo {
    op = KINDS // error[nas::arch::candidate]
}

arch made of demo {
    op = [k5, for i in [3, 9] { "k{i}" }] // error[nas::arch::candidate]
}

arch short of demo {
    op = KINDS[..2] // error[nas::arch::count]
}
