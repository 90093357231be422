space demo {
    input x: [3, 32, 32]
    let y = choose op {
        wide: x -> conv(3, kernel = 5)
        factor: 2 // error[nas::choice::kind]
        step: sigmoid
    }
    output out = x + y
}
