//! A space is no number.
space s {
    input x: [3, 8, 8]
    output y = x -> choose o { a: conv(8, kernel = 3), b: conv(8, kernel = 5) }
}

expect s.count == s // error[nas::expect::comparison]
