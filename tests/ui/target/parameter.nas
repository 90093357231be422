target npu {
    supports {
        conv(kernel <= 3, stirde == 1) // error[nas::target::parameter]
        relu(groups == 1) // error[nas::target::parameter]
    }
}
