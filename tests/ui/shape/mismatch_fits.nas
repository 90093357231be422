space demo {
    input x: [8, 32, 32]
    let half = x -> conv(16, kernel = 3, stride = 2)
    let odd = x -> crop(top = 1)
    let a = x + half // error[nas::shape::mismatch]
    let b = odd + x // error[nas::shape::mismatch]
    let c = x * (x -> global_avg_pool -> conv(4, kernel = 1) -> sigmoid) // error[nas::shape::mismatch]
    let d = (x -> global_avg_pool -> linear(8)) + x // error[nas::shape::mismatch]
    let e = sum([x, half, half]) // error[nas::shape::mismatch]
    let f = x + (x -> conv(9, kernel = 3) -> batch_norm -> relu -> conv(10, kernel = 3)) // error[nas::shape::mismatch]
    let g = concat(x, half, x) // error[nas::shape::mismatch]
    output out = concat(a, b, c, d, e, f, g)
}
