block layers(x) {
    let a = x -> Conv2d(8, kernel = 3) // error[nas::names::unknown]
    let b = a -> hard_swish // error[nas::names::unknown]
    let c = b -> ReLU // error[nas::names::unknown]
    let d = c -> gelu // error[nas::names::unknown]
    let e = d -> SeparableConv2D(8) // error[nas::names::unknown]
    let f = e -> adaptive_avg_pool(1) // error[nas::names::unknown]
    let g = f -> pool(2) // error[nas::names::unknown]
    let h = g -> frobnicate // error[nas::names::unknown]
    h -> choose act [relu, gelu] // error[nas::names::unknown]
}
