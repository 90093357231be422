space demo {
    input image: [8, 32, 32]
    let x = image -> conv(8, kernel = elastic line [(1, 3), (3, 1)]) // error[nas::choice::elastic]
    let y = image -> conv(8, kernel = elastic odd [2, 3]) // error[nas::choice::elastic]
    let groups = elastic groups [1, 8] // error[nas::choice::elastic]
    let z = image -> conv(8, kernel = 3, groups = groups)
    let wide = elastic wide [8, 16]
    let even = elastic even [2, 4]
    let w = image -> conv(wide, kernel = 1) -> conv(8, kernel = elastic both [(1, 3), (3, 3), (3, 1)])
        -> conv(wide, kernel = even) -> conv(wide, kernel = 3, groups = wide) -> conv(8, kernel = 1)
    // What reads the last layer has the channels of one or of the other, so that either may be the largest.
    let deep = image -> repeat elastic depth [1, 2] { conv(elastic width [4, 8], kernel = 3) -> relu }
        -> conv(8, kernel = 1)
    output out = concat(x, y, z, w, deep)
}
