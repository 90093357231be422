space demo {
    input x: [3, 32, 32]
    let k = choose k [3, 5]
    output y = x -> conv(8, kernel = k)
    require macs * params <= 3 // error[nas::require::not_linear]
    require macs / 0 <= 1K // error[nas::require::not_linear]
    require macs / (params - 100) <= 1K // error[nas::require::not_linear]
    require macs / params + depth <= 1K // error[nas::require::not_linear]
    require macs / params <= depth // error[nas::require::not_linear]
    require 3 <= 5 // error[nas::require::not_linear]
    require max(macs, params) + 1 <= 1M // error[nas::require::not_linear]
    require macs ^ 2 <= 9 // error[nas::require::not_linear]
    require macs <= k * 100K // error[nas::require::not_linear]
    require macs <= "300M" // error[nas::require::not_linear]
    require macs <= 1e60 // error[nas::require::not_linear]
}
