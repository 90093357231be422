const MOST = 9

block unit(x, stride) {
    let k = choose k [3, 5]
    let y = x -> conv(x.channels, kernel = k, stride = stride)
    if stride == 2 { y -> relu } else { y }
}

space demo {
    input x: [8, 32, 32]
    let k = choose k [3, 5]
    let y = if k > MOST { // warning[nas::choice::unreachable]
        x -> choose dead { small: conv(8, kernel = 3), large: conv(8, kernel = 5) }
    } else if k == 3 {
        x -> conv(8, kernel = k)
    } else {
        x -> unit(1)
    }
    output out = y -> choose op {
        plain: identity
        deep: conv(8, kernel = k) -> relu if k == 7 or k == 9 // warning[nas::choice::unreachable]
        wide: conv(8, kernel = 5)
    }
}
