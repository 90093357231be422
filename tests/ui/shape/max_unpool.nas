space demo {
    input x: [16, 32, 32]
    let small = x -> max_pool(2)
    let y = (small, small) -> max_unpool(2) // error[nas::shape::mismatch]
    let z = (small, x) -> max_unpool(3, stride = 2) // error[nas::shape::window]
    let w = small -> max_unpool(2) // error[nas::args::operands]
    output out = concat(y, z, w)
}
