use std.bloks.conv_bn_relu // error[nas::names::module]

block stem(x) {
    x -> conv_bn_relu(8, kernel = 3)
}
