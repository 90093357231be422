space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search mine of demo {
    strategy random {}
    score { by = command, command = "python train.py --arch {jsn}", metric = "accuracy" } // error[nas::recipe::unknown_placeholder]
}
