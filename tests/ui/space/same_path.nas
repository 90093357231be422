//! The name of a candidate looks like a candidate inside another.
space decisions {
    input x: [4, 8, 8]
    output y = x -> choose op {
        "a/op=b": conv(4, kernel = 1) -> choose op { p: relu, q: sigmoid }
        "a": choose op {
            "b": conv(4, kernel = 5) -> choose op { p: relu, q: sigmoid } // error[nas::space::same_path]
            c: relu
        }
    }
}

space operators {
    input x: [4, 8, 8]
    output y = x -> choose op { "a/inner.0": conv(4, kernel = 1), "a": inner }
}
block inner(x) { x -> conv(4, kernel = 3) } // error[nas::space::same_path]

space named {
    input x: [4, 8, 8]
    output y = x -> choose op { "a/b": conv(4, kernel = 1), "a": relu }
}
