block twice(x) { x -> relu -> relu }

space demo {
    input x: [3, 32, 32]
    let y = x -> twice(2) // error[nas::args::too_many]
    output out = y
}
