target board {
    memory nonsense // error[nas::names::unknown]
    opset foo(3) // error[nas::names::unknown]
}
