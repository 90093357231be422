//! Names that are no measures and no values, where a statement has words of its own.
space s {
    input x: [3, 8, 8]
    output y = x -> choose o { a: conv(8, kernel = 3), b: conv(8, kernel = 5) }
    require macs <= round(1.5K) // error[nas::names::unknown]
    require macs(3) <= 10 // error[nas::eval::call]
    require params <= maxx(1, 2) // error[nas::names::unknown]
    require params <= len([nonsense]) // error[nas::names::unknown]
    require params <= [nonsense][0] // error[nas::names::unknown]
    require depth <= if nonsense { 1 } else { 2 } // error[nas::names::unknown]
    require depth <= max([]) // error[nas::eval::kind]
}

expect s.count == nonsense // error[nas::names::unknown]

search q of s {
    minimize focal_loss(gamma = 2) + 7 * params / 1M // error[nas::names::unknown]
}
