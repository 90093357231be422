space demo {
    input x: [3, 32, 32]
    let y = (x, x -> relu) -> sigmoid // error[nas::args::operands]
    output out = y
}
