space demo {
    input x: [3, 32, 32]
    var low = x
    let y = choose op {
        a: if true {
            low = x -> relu // error[nas::eval::assigned_in_candidate]
            low -> conv(3, kernel = 3)
        }
        b: x
    }
    output out = y + low
}
