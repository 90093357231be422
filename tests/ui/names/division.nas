const HALF = 8 // 2 // warning[nas::names::division]
const QUARTER = 8 / 4 // 4 of them
const STEM = (HALF + QUARTER) // 16 // warning[nas::names::division]

space s {
    input x: [3, 8, 8]
    let c = x.channels * HALF // 2 // warning[nas::names::division]
    var d = c + STEM // 3 of them
    d = d - 1 // 1 // warning[nas::names::division]
    output y = x -> conv(d, kernel = 3) -> relu // 2
}
