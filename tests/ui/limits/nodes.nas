space demo {
    input x: [3, 32, 32]
    let y = x -> repeat 1000 {
        repeat 1000 { repeat 1000 { relu } } // error[nas::limits::nodes]
    }
    output out = y
}
