space demo {
    input x: [3, 32, 32]
    let kept = x -> choose 8 layers { // error[nas::choice::too_many]
        for i in 0..20 { "conv{i}": conv(8, kernel = 3) }
    }
    output out = sum(kept)
}
