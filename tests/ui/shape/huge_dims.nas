space demo {
    input x: [3, 32, 32]
    let y = x -> conv(16777216, kernel = 1) -> conv(16777216, kernel = 1) // error[nas::shape::overflow]
    output out = y
}
