space demo {
    input x: [3, 32, 32]
    let act = "relu"
    let y = x -> act // error[nas::eval::call]
    output out = y
}
