target board {
    supports {
        conv, Relu // error[nas::target::operator]
        hard_swish // error[nas::target::operator]
        gelu // error[nas::target::operator]
    }
}
