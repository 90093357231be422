space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search quick of demo {
    strategy random { }
    score { by = proxy, proxies = [] } // error[nas::recipe::wrong_value]
}
