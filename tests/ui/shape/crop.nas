space demo {
    input x: [3, 32, 32]
    let y = x -> crop(top = 32) // error[nas::shape::window]
    output out = y
}
