space demo {
    input x: [3, 32, 32]
    output out = x -> relu
// error[nas::parse::syntax]