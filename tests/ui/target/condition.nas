target npu {
    supports {
        conv(kernel) // error[nas::target::condition]
        max_pool(2 * stride) // error[nas::target::condition]
        resize(mode) // error[nas::target::condition]
    }
}
