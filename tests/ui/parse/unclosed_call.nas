space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = 3
    output out = y // error[nas::parse::syntax]
}

arch tiny of demo {}
