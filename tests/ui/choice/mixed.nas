space demo {
    input x: [3, 32, 32]
    let k = choose kernel [3, 5]
    let gate = if k == 5 { x -> sigmoid } else { 1 } // error[nas::choice::mixed]
    output out = x * gate
}
