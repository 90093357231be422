space s {
    input x: [3, 8, 8]
    output y = x -> conv(8, kernel = 3)
}

arch tilde of s {
    expect params ~ 216 // error[nas::parse::syntax]
}

arch sign of s {
    expect params ≈ 216 // error[nas::parse::syntax]
}

arch spaced of s {
    expect params ~= 220 within 2 %
}
