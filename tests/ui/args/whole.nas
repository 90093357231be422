space demo(width = 1.5) {
    input x: [3, 16 * 2.0, 32]
    let wide = x -> conv(16 * width, kernel = 3)
    let wider = wide -> repeat 4 * 0.5 { conv([8, 24][2 * 0.5], kernel = 3) }
    output out = wider -> conv(16 * 1.3, kernel = 3) // error[nas::args::kind]
}
