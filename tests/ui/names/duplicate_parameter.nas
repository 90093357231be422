block twice(x, k, k) { // error[nas::names::duplicate_parameter]
    x -> conv(8, kernel = k)
}
