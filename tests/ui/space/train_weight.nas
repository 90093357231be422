space demo {
    input image: [3, 32, 32]
    let y = image -> relu
    output out = y
    train(weight = 0) output first = y // error[nas::eval::kind]
    train(wieght = 0.4) output second = y // error[nas::args::unknown]
}
