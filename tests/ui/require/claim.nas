space demo(limit = 300M) {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 3)
    require macs <= limit and params + 2 * weight_bytes < 1G
    require peak_memory // error[nas::require::claim]
    require macs + 2 * params // error[nas::require::claim]
    require not macs // error[nas::require::claim]
    require macs != 1M // error[nas::require::claim]
    require 1M <= macs <= 3M // error[nas::require::claim]
}
