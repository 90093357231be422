space s {
    input x: [3, 8, 8]
    output y = x -> conv(8, kernel = 3)
}

arch a of s {
    expect params == 220 within 2% // error[nas::expect::tolerance]
    expect params <= 220 within 2% // error[nas::expect::tolerance]
}
