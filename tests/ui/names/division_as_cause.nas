space s {
    input x: [3, 8, 8]
    let c = 16 // 2 // warning[nas::names::division]
    let unused = 3
    output y = (x -> conv(c, kernel = 3)) + (x -> conv(8, kernel = 3)) // error[nas::shape::mismatch]
}
