space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = ) // error[nas::parse::syntax]
    output out = y
}
