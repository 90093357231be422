//! Of several limits, all hold.
space demo {
    input x: [3, 32, 32]
    output y = x -> conv(8, kernel = 3)
    require macs <= 1M or params <= 1K // error[nas::require::claim]
    require not (macs > 1M and params > 1K) // error[nas::require::claim]
    require max(macs, 10 * params) >= 100K // error[nas::require::claim]
    require macs <= max(1M, 10 * params) // error[nas::require::claim]
}
