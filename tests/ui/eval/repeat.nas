space demo {
    input x: [3, 32, 32]
    let y = repeat 3 { conv(8, kernel = 3) } // error[nas::eval::repeat]
    output out = x + y
}
