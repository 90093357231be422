block stem(x) {
    return x // error[nas::names::unknown]
        -> conv(8, kernel = 3, bias = True) // error[nas::names::unknown]
}
