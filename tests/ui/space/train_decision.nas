block head(x, classes) {
    x -> choose act { relu: relu, sigmoid: sigmoid } // error[nas::space::train_decision]
        -> global_avg_pool -> linear(classes)
}

// The network depends on `width`, so what training adds may too.
space demo {
    input image: [3, 32, 32]
    task classification(10)
    let width = choose width [8, 16]
    let y = image -> conv(width, kernel = 3)
    output logits = y -> global_avg_pool -> linear(10)
    train output aux = y -> conv(2 * width, kernel = 1) -> head(10)
}
