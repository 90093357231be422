block stem(x, width) { // warning[nas::names::unused]
    x -> conv(widht, kernel = 3) // error[nas::names::unknown]
}
