space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search quick of demo {
    weights adamw { momentum = 0.8 } // error[nas::recipe::other_optimizer]
    retrain {
        optimizer = rmsprop
        beta2 = 0.99 // error[nas::recipe::other_optimizer]
    }
}
