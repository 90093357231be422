block stem(x, width) {
    x -> conv(widht, kernel = 3) // error[nas::names::unknown]
}
