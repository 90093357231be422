space tiny {
    input x: [3, 8, 8]
    output out = x -> choose op { a: conv(3, kernel = 1), b: conv(3, kernel = 3) }
}

search name of tiny {
    data landcover { path = landcover } // error[nas::recipe::wrong_value]
}

search path of tiny {
    data landcover { path = data/landcover } // error[nas::recipe::wrong_value]
}

search unknown of tiny {
    schedule { epochs = 2 * cycles } // error[nas::names::unknown]
}
