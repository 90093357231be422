const SKIP = "skip"
const LARGE = 7

space demo(none = "none") {
    input x: [8, 16, 16]
    output y = x -> choose op { skip: identity, conv3: conv(8, kernel = 3), "3x3": conv(8, kernel = 3) }
        -> conv(8, kernel = choose kernel [3, 5])
        -> conv(8, kernel = choose shape [(1, 3), (3, 1)])
    require count(op == SKIP or op == 3x3) == 1
    require count(shape == (1, 3)) + count(kernel == 5) <= 1
    require count(op == skipp) <= 0 // error[nas::require::candidate]
    require count(op == none) <= 0 // error[nas::require::candidate]
    require count(kernel == LARGE) <= 0 // error[nas::require::candidate]
    require count(not (4 != kernel)) <= 0 // error[nas::require::candidate]
    require count(shape != (3, 3)) >= 1 // error[nas::require::candidate]
}
