target board {
    latency table "empty.json"
}

space s for board { // error[nas::latency::entangled]
    input image: [4, 8, 8]
    output y = sum([for _i in 0..14 { image -> choose op { a: conv(4, kernel = 1), none: zero } }])
}
