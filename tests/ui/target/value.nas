target npu {
    opset 99 // error[nas::target::value]
    precision int7 // error[nas::target::value]
    memory "large" // error[nas::target::value]
}

target empty {
    opset 17.5 // error[nas::target::value]
    precision 8 // error[nas::target::value]
    memory 0 // error[nas::target::value]
}
