const PAPER = 220

space s {
    input x: [3, 8, 8]
    output y = x -> conv(8, kernel = 3)
}

arch a of s {
    expect params ~= PAPER // error[nas::expect::precision]
    expect params ~= PAPER within 2%
    expect params ~= 2.2e-32768 // error[nas::expect::precision]
    expect params ~= 200 + 20 // error[nas::expect::precision]
}
