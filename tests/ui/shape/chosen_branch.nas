space demo {
    input x: [8, 16, 16]
    let k = choose k [3, 5]
    let stride = choose stride [1, 2]
    var y = x
    if k == 5 and stride == 2 {
        y = y -> conv(16, kernel = k, stride = stride)
    }
    output out = x + y // error[nas::shape::mismatch]
}
