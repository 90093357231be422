space demo {
    input x: [3, 32, 32]
    let y = x -> conv(8, kernel = [3, 5]) // error[nas::args::kind]
    output out = y
}
