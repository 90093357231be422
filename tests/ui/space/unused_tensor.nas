space demo {
    input x: [3, 32, 32]
    let _side = x -> sigmoid // warning[nas::space::unused_tensor]
    let y = x -> relu
    output out = y
}
