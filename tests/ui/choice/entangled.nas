space demo {
    input x: [3, 32, 32]
    let a = choose a (0..9)
    let b = choose b (0..9)
    let c = choose c (0..9)
    let d = choose d (1..9)
    output out = x -> conv(1000 * a + 100 * b + 10 * c + d, kernel = 3) // error[nas::choice::entangled]
}
