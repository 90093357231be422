space s {
    input x: [3, 8, 8]
    output y = x -> conv(8, kernel = 3)
}

arch a of s {
    expect params ~= 0.2K
    expect params ~= 220 // error[nas::expect::failed]
    expect params ~= 0.22K
    expect params ~= 220 within 2%
    expect macs ~= 1.4e4 within 1% // error[nas::expect::failed]
    expect 27K ~= 2 * macs // error[nas::expect::failed]
    expect params ~= 0 // error[nas::expect::failed]
}

expect s.params.max ~= 0.2M // error[nas::expect::failed]
