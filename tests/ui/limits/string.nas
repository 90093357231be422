space demo {
    input x: [3, 32, 32]
    var s = "a"
    for _i in 0..64 { s = "{s}{s}" } // error[nas::limits::length]
    let y = if s == "b" { x } else { x -> relu }
    output out = y
}
