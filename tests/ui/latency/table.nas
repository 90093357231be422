target none {
    latency table "none.json" // error[nas::latency::table]
}

target old {
    latency table "old.json" // error[nas::latency::table]
}

target broken {
    latency table "broken.json" // error[nas::latency::table]
}

space s for none {
    input image: [3, 8, 8]
    output y = image -> conv(4, kernel = 1)
}

space t for old {
    input image: [3, 8, 8]
    output y = image -> conv(4, kernel = 1)
}

space u for broken {
    input image: [3, 8, 8]
    output y = image -> conv(4, kernel = 1)
}
