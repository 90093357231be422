/// Whether a state is used depends on every choice after it.
space tangle {
    input x: [3, 8, 8]
    task segmentation(3)
    var states = [x, x -> relu]
    for i in 0..60 {
        let one = choose one { near: states[i + 1], far: states[i / 2] }
        let two = choose two { near: states[i], far: states[2 * i / 3] }
        states = states + [one + two]
    }
    output out = states[61]
}

expect tangle.count <= 1G // error[nas::expect::entangled]
