use std.blocks.conv_bn_rel // error[nas::names::import]

block stem(x) {
    x -> conv_bn_rel(8, kernel = 3)
}
