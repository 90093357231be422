target npu {
    memory 512KiB
    supports { conv, relu }
    latency table "npu.json"
    memory 1MiB // error[nas::target::repeated]
    supports { add } // error[nas::target::repeated]
    latency table "other.json" // error[nas::target::repeated]
}
