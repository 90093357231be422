space demo {
    input x: [3, 32, 32]
    let y = x -> if x.channels > 8 { relu } // error[nas::eval::step]
    output out = y
}
