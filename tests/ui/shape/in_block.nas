block residual(x, out) {
    x + (x -> conv(out, kernel = 3)) // error[nas::shape::mismatch]
}

space demo {
    input x: [3, 32, 32]
    let y = x -> residual(8)
    output out = y
}
