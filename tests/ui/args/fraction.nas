space demo {
    input x: [16, 32, 32]
    let y = x -> dropout(1.5) // error[nas::args::kind]
    let z = x -> drop_path // error[nas::args::missing]
    output out = y + z
}
