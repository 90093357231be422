space demo {
    input x: [3, 32, 32]
    output out = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
}

search mine of demo {
    strategy tpe {}
    score { by = command, command = "python train.py --arch {json}" }
    maximize metric(pq) // error[nas::recipe::no_formula]
}
