space demo {
    input x: [3, 32, 32]
    let y = x -> 3 // error[nas::eval::step]
    output out = y
}
