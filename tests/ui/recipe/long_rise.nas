space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search quick of demo {
    schedule { epochs = 10 }
    weights { warmup = 10 } // error[nas::recipe::long_rise]
}
