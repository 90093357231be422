space demo {
    input x: [3, 32, 32]
    let y = x -> choose op {
        k3: conv(3, kernel = 3)
        k5: conv(3, kernel = 5)
    }
    output out = y
}

search quick of demo {
    loss { delta = 2 } // warning[nas::recipe::idle_setting]
    derive { epochs = 3 } // warning[nas::recipe::idle_setting]
    retrain {
        temperature = 2 // warning[nas::recipe::idle_setting]
        weight = 0.5 // warning[nas::recipe::idle_setting]
        min_delta = 0.1 // warning[nas::recipe::idle_setting]
    }
}

search other of demo {
    strategy random {}
    score { by = train, min_delta = 0.1 } // warning[nas::recipe::idle_setting]
    loss { regression = huber, delta = 2 }
    derive { finalists = 2, epochs = 3 }
    retrain { teacher = "teacher.onnx", temperature = 2, weight = 0.5, patience = 2, min_delta = 0.1 }
}
