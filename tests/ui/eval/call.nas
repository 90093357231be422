space demo {
    input x: [3, 32, 32]
    let k = 3
    let y = x -> k // error[nas::eval::call]
    output out = y
}
