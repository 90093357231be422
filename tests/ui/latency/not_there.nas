target board {
    latency table "../not_there.json" // error[nas::latency::table]
}

space s for board {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
    require latency <= 25ms
}

arch least of s {
    op = [a]
    expect latency <= 3ms
}

search quick of s {
    minimize cross_entropy + 0.1 * latency
}

expect s.latency.min <= 3ms
