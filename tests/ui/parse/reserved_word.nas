space demo {
    input x: [3, 32, 32]
    let of = x -> relu // error[nas::parse::syntax]
    output out = of
}
