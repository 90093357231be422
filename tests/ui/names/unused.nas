space demo {
    input x: [3, 32, 32]
    let size = 3 // warning[nas::names::unused]
    let y = x -> conv(8, kernel = 3)
    output out = y
}
