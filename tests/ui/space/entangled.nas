/// Whether a state is used depends on every choice after it, and so does where the width matters.
space tangle { // error[nas::space::entangled]
    input x: [3, 8, 8]
    var states = [x, x -> relu]
    for i in 0..60 {
        let one = choose one { near: states[i + 1], far: states[i / 2] }
        let two = choose two { near: states[i], far: states[2 * i / 3] }
        states = states + [one + two]
    }
    output out = states[61] -> conv(choose width [8, 16], kernel = 1) -> conv(8, kernel = 1)
}
