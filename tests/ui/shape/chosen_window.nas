block pooled(x, kernel) {
    x -> choose op {
        conv: conv(16, kernel = kernel, padding = "valid") -> global_avg_pool // error[nas::shape::window]
        mean: global_avg_pool
    }
}

space demo {
    input image: [16, 6, 12]
    let kernel = choose kernel [3, 5, 7]
    output out = image -> pooled(kernel)
}
