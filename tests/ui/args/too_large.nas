space demo {
    input x: [3, 32, 32]
    let y = x -> conv(99999999999999999999999999, kernel = 3) // error[nas::shape::overflow]
    let z = x -> conv(8, kernel = (3, 99999999999)) // error[nas::shape::overflow]
    output out = concat(y, z)
}
