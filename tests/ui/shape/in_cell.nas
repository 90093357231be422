cell layer(x) {
    let k = choose kernel [3, 5]
    let w = choose width [8, 12]
    x + (x -> conv(w, kernel = k)) // error[nas::shape::mismatch]
}

space demo {
    input image: [12, 32, 32]
    output out = image -> layer -> layer
}
