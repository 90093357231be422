block layer(x) {
    x -> choose op {
        deep: { // error[nas::parse::syntax]
            let y = x -> conv(8, kernel = 3)
            y -> relu
        }
    }
}

block other(x) {
    x -> choose op {
        deep: let y = conv(8, kernel = 3) // error[nas::parse::syntax]
    }
}
