block s(x) {
    x -> choose op {
        "k3: conv(8, kernel = 3) // error[nas::parse::syntax]
        "k5": conv(8, kernel = 5)
    }
}
