target npu {
    opsett 17 // error[nas::target::entry]
    clock 800 // error[nas::target::entry]
}
