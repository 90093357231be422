block twice(x, k, k) { // error[nas::names::duplicate_parameter] warning[nas::names::unused]
    x -> conv(8, kernel = k)
}
