space demo {
    input x: [3, 32, 32]
    var states = [x, x -> relu]
    for _i in 0..40 {
        let next = choose op {
            for j in 0..len(states) {
                "s{j}": states[j] -> relu
            }
        }
        states = states + [next]
    }
    output out = states[41]
}

expect demo.count >= 2 // error[nas::expect::entangled]
