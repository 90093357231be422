space demo {
    input x: [3, 32, 32]
    var l = [1]
    for _i in 0..1000 { l = [l] } // error[nas::limits::depth]
    let y = if len(l) > 2 { x } else { x -> relu }
    output out = y
}
