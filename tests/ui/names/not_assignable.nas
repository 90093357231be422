space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = 3)
    y = y -> relu // error[nas::names::not_assignable]
    output out = y
}
