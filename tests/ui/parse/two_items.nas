const A = // 

space demo { // error[nas::parse::syntax]
    input x: [3, 32, 32]
    output out = x -> -> relu // error[nas::parse::syntax]
}
