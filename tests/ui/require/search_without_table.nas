//! A space without a target takes its latencies from the targets of its searches.
target board {
    precision int8
}

target timed {
    latency table "../latency/board.json"
}

space demo {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
    require latency <= 1ms // error[nas::require::no_table]
}

search fast of demo for timed {}

search fitting of demo for board {}

search plain of demo {} // error[nas::require::no_table]
