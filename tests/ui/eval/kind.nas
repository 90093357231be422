space demo {
    input x: [3, 32, 32]
    let k = 5
    let y = if k { x } else { x -> relu } // error[nas::eval::kind]
    output out = y
}
