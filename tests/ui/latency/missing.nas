target board {
    precision fp32
    latency table "empty.json"
}

target other {
    latency table "stale.json"
}

space s for board { // error[nas::latency::missing]
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
}

space t for other { // error[nas::latency::missing]
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
}

search on_other of s for other {} // error[nas::latency::missing]
