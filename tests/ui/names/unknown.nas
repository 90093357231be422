block stem(x, width) {
    x -> conv(width, kernel = size) // error[nas::names::unknown]
}
