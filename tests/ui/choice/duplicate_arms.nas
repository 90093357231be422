space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        a: relu
        a: sigmoid // error[nas::choice::duplicate]
    }
    output out = y
}
