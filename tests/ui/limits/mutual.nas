block a(x) { x -> b }
block b(x) { x -> a } // error[nas::limits::recursion]

space demo {
    input x: [3, 32, 32]
    let y = x -> a
    output out = y
}
