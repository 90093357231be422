block edge(states) {
    choose op {
        for j in 0..len(states) {
            "s{j}": states[j] -> relu
        }
    }
}

space demo {
    input x: [3, 32, 32]
    var states = [x, x -> relu]
    for _i in 0..24 {
        states = states + [edge(states) + edge(states)]
    }
    output out = states[25]
}

expect demo.count >= 2 // error[nas::expect::entangled]
