//! A candidate has one name in all networks.
space s {
    input x: [3, 8, 8]
    let width = choose width [4, 8]
    let y = x -> conv(8, kernel = 1)
    output out = y -> choose op { "w{width}": relu, b: identity } // error[nas::eval::kind]
}
