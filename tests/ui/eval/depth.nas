space demo {
    input x: [3, 32, 32]
    let n = elastic depth [1.5, 3]
    output out = x -> repeat n { conv(8, kernel = 3) } // error[nas::eval::depth]
}
