target npu {
    precision int8
    latency table "empty.json" // error[nas::latency::precision]
}

space s for npu {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) }
}
