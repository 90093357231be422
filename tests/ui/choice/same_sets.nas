//! Two sets of one name could not be told apart.
space s {
    input x: [4, 8, 8]
    let taken = x -> choose 2 op {
        "a": conv(4, kernel = 1)
        "b+c": conv(4, kernel = 3)
        "a+b": conv(4, kernel = 5) // error[nas::choice::duplicate]
        "c": conv(4, kernel = 7)
    }
    output y = sum(taken)
}
