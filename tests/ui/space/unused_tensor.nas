space demo {
    input x: [3, 32, 32]
    var y = x -> sigmoid // warning[nas::space::unused_tensor]
    y = x -> relu
    output out = y
}
