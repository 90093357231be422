space demo {
    input x: [3, 32, 32]
    var l = [1]
    for _i in 0..64 { l = [l, l] } // error[nas::limits::length]
    let y = if len(l) > 2 { x } else { x -> relu }
    output out = y
}
