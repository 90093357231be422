target npu {
    supports {
        convv(kernel <= 3) // error[nas::target::operator]
        mbconv // error[nas::target::operator]
    }
}
