//! An input and an output are values of one file.
space s {
    input image: [4, 8, 8]
    let a = image -> conv(4, kernel = 1)
    output logits = a
    output image = a -> relu // error[nas::space::duplicate_port]
}
