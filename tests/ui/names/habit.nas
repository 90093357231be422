block stem(x) {
    return x -> conv(8, kernel = 3, bias = True) // error[nas::names::unknown] error[nas::names::unknown]
}
