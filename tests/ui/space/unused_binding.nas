space demo {
    input x: [3, 32, 32]
    let side = x -> sigmoid // warning[nas::names::unused]
    output out = x -> relu
}
