space demo {
    input x: [3, 32, 32]
    let depth = 4
    var y = x
    for _i in depth { y = y -> relu } // error[nas::eval::kind]
    output out = y
}
