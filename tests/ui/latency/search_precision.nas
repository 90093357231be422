//! A space is measured in the precision of its own target: the help says how to measure it in another.
target board {
    latency table "board.json"
}

target npu {
    precision int8
    latency table "board.json" // error[nas::latency::precision]
}

target slow {
    precision fp16
    latency table "slow.json" // error[nas::latency::table]
}

space s for board {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
}

search on_npu of s for npu {}

search on_slow of s for slow {}
