block tower(x) { x -> relu -> tower } // error[nas::limits::recursion]

space demo {
    input x: [3, 32, 32]
    let y = x -> tower
    output out = y
}
