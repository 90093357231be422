target board {
    latency table "../not_there.json" // error[nas::latency::table]
}

space s for board {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
}

arch least of s {
    op = [a]
    expect latency <= 25 // error[nas::require::unit]
    expect 1_000 >= latency // error[nas::require::unit]
    expect latency >= 0
}

expect s.latency.max <= 25 // error[nas::require::unit]
expect 1.5 == s.latency.mean // error[nas::require::unit]
expect s.latency.min <= 3ms
