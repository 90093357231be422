//! AmoebaNet (Real et al. 2019): the cells of NASNet with 8 operators, searched by evolution. As
//! there, `joined` are the states that the published cells join.
//!
//! 82 lines of code; 346 in NNI 3.0 (nas/hub/pytorch/nasnet.py: `AmoebaNet`, `NDS`, their cells
//! and operators).
use std.cells.cell_network

/// Beside the identity; AmoebaNet-B has others too.
const OPS = [("sep", 3), ("sep", 5), ("sep", 7), ("avg", 3), ("max", 3), ("dil_sep", 3),
             ("line", 7)]
const B_OPS = OPS + [("conv", 1), ("conv", 3), ("max", 2), ("dil_sep", 5)]

/// States that the normal and the reduction cell of each network join.
const A_JOINED = [[1, 3, 4, 6], [2, 3, 4, 5, 6]]
const B_JOINED = [[0, 3, 4, 6], [5, 6]]
const C_JOINED = [[1, 2, 4, 5, 6], [0, 2, 3, 4, 5, 6]]

space amoebanet(classes = 1000, size = 224, filters = 50, repeats = 4, stem = 32, joined = [[], []],
                ops = OPS) {
    input image: [3, size, size]
    task classification(classes)
    let (logits, _tapped) = image -> cell_network(ops, filters, repeats, classes, joined, stem)
    output logits = logits
}

space amoebanet_cifar(classes = 10, size = 32, filters = 32, repeats = 6, joined = [[], []]) {
    input image: [3, size, size]
    task classification(classes)
    let (logits, _tapped) = image -> cell_network(OPS, filters, repeats, classes, joined)
    output logits = logits
}

/// AmoebaNet-A (Liu et al. 2019, table 3), as the next two.
arch a_mobile of amoebanet(joined = A_JOINED) {
    from = [1, 0, 0, 2, 1, 0, 4, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 2, 5, 0]
    op = [sep_3, avg_3, max_3, sep_7, max_3, max_3, sep_3, line_7, avg_3, sep_7, avg_3, max_3,
          sep_3, identity, identity, avg_3, sep_3, sep_5, avg_3, sep_3]
    expect macs == 554_586_852
    expect params == 5_086_898
    expect macs ~= 555M
    expect params ~= 5.1M
}

/// AmoebaNet-B.
arch b_mobile of amoebanet(filters = 62, repeats = 3, ops = B_OPS, joined = B_JOINED) {
    from = [0, 0, 2, 1, 2, 2, 3, 1, 4, 3, 1, 1, 1, 0, 1, 0, 2, 2, 1, 5]
    op = [max_2, max_3, identity, conv_3, dil_sep_5, max_3, identity, sep_3, avg_3, conv_1, conv_1,
          max_3, identity, sep_3, conv_1, sep_3, conv_1, identity, avg_3, conv_1]
    expect macs == 554_960_056
    expect params == 5_258_668
    expect macs ~= 555M
    expect params ~= 5.3M
}

/// AmoebaNet-C. The published cell does not have the published cost.
arch c_mobile of amoebanet(joined = C_JOINED) {
    from = [0, 0, 2, 0, 0, 1, 4, 4, 1, 1, 0, 0, 0, 0, 2, 1, 0, 1, 3, 0]
    op = [max_3, max_3, sep_7, sep_3, sep_7, max_3, sep_5, sep_5, max_3, sep_3, avg_3, sep_3,
          identity, sep_3, avg_3, sep_3, identity, sep_3, avg_3, sep_3]
    expect macs == 676_816_640
    expect params == 6_353_758
    expect macs ~= 570M within 18.8%
    expect params ~= 6.4M
}

/// AmoebaNet-A (6, 190) (table 2 of the paper).
arch a_190 of amoebanet(size = 331, filters = 190, repeats = 6, joined = A_JOINED) {
    from = [1, 0, 0, 2, 1, 0, 4, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 2, 5, 0]
    op = [sep_3, avg_3, max_3, sep_7, max_3, max_3, sep_3, line_7, avg_3, sep_7, avg_3, max_3,
          sep_3, identity, identity, avg_3, sep_3, sep_5, avg_3, sep_3]
    expect macs == 23_133_443_059
    expect params == 86_718_765
    expect macs ~= 23.1G
    expect params ~= 86.7M
}

/// AmoebaNet-A (6, 448) (table 2). Its cells do not have the published cost.
arch a_448 of amoebanet(size = 331, filters = 448, repeats = 6, joined = A_JOINED) {
    from = [1, 0, 0, 2, 1, 0, 4, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 2, 5, 0]
    op = [sep_3, avg_3, max_3, sep_7, max_3, max_3, sep_3, line_7, avg_3, sep_7, avg_3, max_3,
          sep_3, identity, identity, avg_3, sep_3, sep_5, avg_3, sep_3]
    expect macs == 126_520_757_776
    expect params == 468_151_184
    expect macs ~= 104G within 21.7%
    expect params ~= 469M within 0.19%
}

/// AmoebaNet-A (6, 32) on CIFAR-10 (table 1).
arch a_cifar of amoebanet_cifar(joined = A_JOINED) {
    from = [0, 0, 1, 1, 0, 1, 0, 2, 5, 0, 1, 0, 0, 2, 1, 0, 4, 0, 1, 0]
    op = [avg_3, max_3, sep_3, identity, identity, avg_3, sep_3, sep_5, avg_3, sep_3, sep_3, avg_3,
          max_3, sep_7, max_3, max_3, sep_3, line_7, avg_3, sep_7]
    expect macs == 407_671_808
    expect params == 2_567_754
    expect params ~= 2.6M
}

/// AmoebaNet-A (6, 36) on CIFAR-10 (table 1).
arch a_cifar_36 of amoebanet_cifar(filters = 36, joined = A_JOINED) {
    from = [0, 0, 1, 1, 0, 1, 0, 2, 5, 0, 1, 0, 0, 2, 1, 0, 4, 0, 1, 0]
    op = [avg_3, max_3, sep_3, identity, identity, avg_3, sep_3, sep_5, avg_3, sep_3, sep_3, avg_3,
          max_3, sep_7, max_3, max_3, sep_3, line_7, avg_3, sep_7]
    expect macs == 509_668_992
    expect params == 3_218_266
    expect params ~= 3.2M
}

expect amoebanet_cifar.count == 309_834_464_941_077_422_470_594_560_000
