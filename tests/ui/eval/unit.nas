space demo {
    input x: [3, 32, 32]
    let limit = 3Q // error[nas::eval::unit]
    let y = if limit > 2G { x } else { x -> relu }
    output out = y
}
