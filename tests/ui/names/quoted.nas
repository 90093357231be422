space demo {
    input image: [3, 32, 32]
    output y = image -> conv(8, kernel = 3) -> resize(scale = 2, mode = bilinear) // error[nas::names::unknown]
}
