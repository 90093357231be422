block stem(x) {
    x -> choose op { // error[nas::shape::candidates]
        narrow: conv(elastic width [8, 16], kernel = 3)
        fixed: conv(16, kernel = 3)
    }
}

space demo {
    input image: [3, 64, 64]
    output out = image -> stem
}
