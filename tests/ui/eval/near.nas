space s {
    input x: [3, 8, 8]
    require macs ~= 3G // error[nas::require::claim]
    output y = if x.channels ~= 3 { x } else { x -> relu } // error[nas::expect::near]
}
