space demo(width = 8) {
    input x: [8, 32, 32]
    output out = x -> choose op { k3: conv(width, kernel = 3), k5: conv(width, kernel = 5) }
}

arch tiny of demo(width = wdith) { // error[nas::names::unknown]
    op = k3
}
