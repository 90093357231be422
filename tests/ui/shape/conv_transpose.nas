space demo {
    input x: [8, 4, 4]
    let y = x -> conv_transpose(8, kernel = 3, stride = 2, output_padding = 2) // error[nas::shape::window]
    let z = x -> conv_transpose(8, kernel = 3, padding = 5) // error[nas::shape::window]
    let w = x -> conv_transpose(6, kernel = 3, groups = 4) // error[nas::shape::groups]
    output out = concat(y, z, w)
}
