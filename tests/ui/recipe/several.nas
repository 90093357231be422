space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search quick of demo {
    strategy gumbel { temperature = 5.0 -> 0 } // error[nas::recipe::out_of_range]
    schedule { epochs = epoch } // error[nas::names::unknown]
    data demo { path = 3 } // error[nas::recipe::wrong_value]
}
