space demo {
    input x: [3, 32, 32]
    for _i in 0..1_000_000, _j in 0..1_000_000 {} // error[nas::limits::steps]
    let y = x -> relu
    output out = y
}
