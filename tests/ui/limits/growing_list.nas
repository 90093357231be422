space demo {
    input x: [3, 32, 32]
    var l = [0]
    for i in 0..1_000_000 { l = l + [i] } // error[nas::limits::steps]
    let y = if len(l) > 2 { x } else { x -> relu }
    output out = y
}
