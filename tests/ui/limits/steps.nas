space demo {
    input x: [3, 32, 32]
    var n = 0
    for i in 0..1_000_000, j in 0..1_000_000 { // error[nas::limits::steps]
        n = n + i * j
    }
    let y = if n > 0 { x } else { x -> relu }
    output out = y
}
