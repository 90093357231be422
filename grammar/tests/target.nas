target edge_npu {
    opset 17
    precision int8
    supports {
        conv(kernel <= 7, dilation == 1, groups == 1 or groups == channels)
        add, concat, relu, relu6, max_pool, avg_pool, linear
        resize(mode == "nearest")
    }
    latency table "edge_npu.lut.json"
    memory 512KiB
}

space tiny for edge_npu {
    input image: [3, 96, 96]
    require macs <= 300M
    require latency <= 12ms
    require peak_memory <= 320KiB
}
