use std.blocks.conv_bn_relu

block stem(x) {
    x -> choose op {
        a: conv_bn_relu(8, kernel = 3)
        b: conv_bn_relu(8, kernel = 5)
}

space demo { // error[nas::parse::syntax]
    input x: [3, 32, 32]
    output out = x -> stem
}
