//! NASNet (Zoph et al. 2018): two cells of five blocks, each of which adds two of 13 operators on two
//! states before it. A cell joins the states that no other reads; those of the published code join
//! a list that is given by hand, `joined` here.
//!
//! 51 lines of code; 366 in NNI 3.0 (nas/hub/pytorch/nasnet.py: `NASNet`, `NDS`, their cells,
//! operators and auxiliary head).
use std.cells.cell_network
use std.heads.auxiliary_head

/// Beside the identity.
const OPS = [("line", 3), ("line", 7), ("dil", 3), ("avg", 3), ("max", 3), ("max", 5), ("max", 7),
             ("conv", 1), ("conv", 3), ("sep", 3), ("sep", 5), ("sep", 7)]

/// States that the normal and the reduction cell of NASNet-A join.
const JOINED = [[1, 2, 3, 4, 5, 6], [3, 4, 5, 6]]

space nasnet(classes = 1000, size = 224, filters = 44, repeats = 4, stem = 32, joined = [[], []],
             skips = false, drop = 0.0) {
    input image: [3, size, size]
    task classification(classes)
    let (logits, tapped) = image
        -> cell_network(OPS, filters, repeats, classes, joined, stem, skips, drop)
    output logits = logits
    train output aux = tapped -> auxiliary_head(classes)
}

space nasnet_cifar(classes = 10, size = 32, filters = 32, repeats = 6, joined = [[], []],
                   drop = 0.0) {
    input image: [3, size, size]
    task classification(classes)
    let (logits, tapped) = image
        -> cell_network(OPS, filters, repeats, classes, joined, drop = drop)
    output logits = logits
    train output aux = tapped -> auxiliary_head(classes)
}

/// NASNet-A (4 @ 1056) (tensorflow/models).
arch nasnet_a_mobile of nasnet(joined = JOINED) {
    from = [0, 1, 0, 1, 0, 1, 3, 2, 2, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0]
    op = [sep_5, sep_7, max_3, sep_7, avg_3, sep_5, identity, avg_3, sep_3, max_3, sep_5, sep_3,
          sep_5, sep_3, avg_3, identity, avg_3, avg_3, sep_3, identity]
    expect macs == 563_638_816
    expect params == 5_289_978
    expect macs ~= 564M
    expect params ~= 5.3M
}

/// NASNet-A (6 @ 4032) (tensorflow/models).
arch nasnet_a_large of nasnet(size = 331, filters = 168, repeats = 6, stem = 96, skips = true,
                              joined = JOINED, drop = 0.3) {
    from = [0, 1, 0, 1, 0, 1, 3, 2, 2, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0]
    op = [sep_5, sep_7, max_3, sep_7, avg_3, sep_5, identity, avg_3, sep_3, max_3, sep_5, sep_3,
          sep_5, sep_3, avg_3, identity, avg_3, avg_3, sep_3, identity]
    expect macs == 23_783_414_658
    expect params == 88_753_150
    expect macs ~= 23.8G
    expect params ~= 88.9M within 0.17%
}

/// NASNet-A (6 @ 768) (Real et al. 2019, table 1).
arch nasnet_a_cifar of nasnet_cifar(joined = JOINED, drop = 0.4) {
    from = [0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 1, 3, 2, 2, 0]
    op = [sep_5, sep_3, sep_5, sep_3, avg_3, identity, avg_3, avg_3, sep_3, identity, sep_5, sep_7,
          max_3, sep_7, avg_3, sep_5, identity, avg_3, sep_3, max_3]
    expect macs == 544_333_312
    expect params == 3_346_538
    expect params ~= 3.3M
}

expect nasnet_cifar.count == 5_107_366_597_713_630_212_832_188_866_560_000
