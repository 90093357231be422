block stage(x) {
    let split = choose split [1, 2, 5, 7]
    x -> conv(x.channels, kernel = 3, groups = split) // error[nas::shape::groups]
}

space demo {
    input image: [8, 32, 32]
    output out = image -> stage -> stage
}
