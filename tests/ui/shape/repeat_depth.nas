space demo {
    input x: [3, 32, 32]
    output out = x -> repeat choose depth [2, 4, 6] {
        conv(8, kernel = 3, stride = 2) -> conv(8, kernel = 3, padding = "valid") // error[nas::shape::window]
    }
}
