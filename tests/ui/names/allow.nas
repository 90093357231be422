block layer(x) {
    let silenced = 3 // allow nas::names::unused
    // allow nas::names::unused as it is for later
    let also_silenced = 3
    let reported = 3 // warning[nas::names::unused]
    // allow nas::names::unused warning[nas::names::allow]
    x -> relu // allow nas::names::unused, nas::choice::single warning[nas::names::allow]
}
