space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search quick of demo {
    weights sgd { rate = 0.1 -> 0.001 step(2.5) } // error[nas::recipe::law_argument]
    retrain { rate = 0.1 -> 0 cosine(2) } // error[nas::recipe::law_argument]
}
