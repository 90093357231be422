space s {
    input x: [3, 8, 8]
    output y = x -> conv(8, kernel = 3)
}

arch a of s {
    expect params ~= "216" // error[nas::expect::comparison]
}
