space demo {
    input x: [24, 32, 32]
    let y = x -> channel_shuffle(5) // error[nas::shape::groups]
    output out = y
}
