// error[nas::space::no_output]
space demo {
    input x: [3, 32, 32] // warning[nas::names::unused]
}
