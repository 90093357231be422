space demo {
    input image: [8, 16, 16]
    let step = choose step {
        for n in [1, 2, 3, 5] { "by{n}": n }
    }
    output out = image -> conv(8, kernel = 3, groups = step) // error[nas::shape::groups]
}
