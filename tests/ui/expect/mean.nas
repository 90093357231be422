space pair(size = 16) {
    input x: [4, size, size]
    output out = x -> choose op { thin: conv(4, kernel = 1), wide: conv(4, kernel = 3) }
}

expect pair.params.mean == 80
expect pair.macs.mean == 20_480
expect pair.params.mean == 81 // error[nas::expect::failed]
expect pair.depth.mean == 1 // error[nas::expect::no_figure]
