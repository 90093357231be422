// Of a layer without a residual, `zero` leaves nothing.
block layer(x) {
    x -> choose op {
        none: zero
        plain: conv(8, kernel = 3)
        wide: conv(8, kernel = 5)
    }
}
space demo {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 3) -> repeat 2 { layer }
}
// A count that differs for that reason says so.
expect demo.count == 3 ^ 2 // error[nas::expect::failed]
