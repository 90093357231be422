space demo {
    input x: [3, 32, 32]
    let k = choose size {
        small: 3 // error[nas::choice::kind]
        large: 5
    }
    let y = x -> conv(8, kernel = k)
    output out = y
}
