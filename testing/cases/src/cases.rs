//! Small networks: each operator alone at several parameters, and what they do together.

use nas_ir::ops::{
    Add, AvgPool, BatchNorm, Border, ChannelPad, ChannelShuffle, ChannelSlice, Concat, Conv,
    ConvTranspose, Crop, DropPath, Dropout, Flatten, GlobalAvgPool, Hsigmoid, Hswish, Identity,
    LeakyRelu, Linear, MaxPool, MaxUnpool, Mul, Pad, Padding, Pool, Prelu, Relu, Relu6, Resize,
    ResizeMode, ResizeTo, Shift, Sigmoid, SpatialDropout, Swish, Tanh, Zero,
};
use nas_ir::{Network, Op, Shape};

use crate::networks::{Builder, NORM, VALID, conv, groups, same, single};

/// Networks by name.
pub type Cases = Vec<(String, Network)>;

/// All of them, each operator of the table in several.
#[must_use]
pub fn all() -> Cases {
    let parts: [fn(&mut Cases); 12] = [
        convolutions,
        dilated_depthwise_convolutions,
        transposed_convolutions,
        batch_norms,
        pools,
        unpools,
        elementwise,
        joins,
        channels,
        heads,
        resizes,
        structure,
    ];
    let mut cases = Vec::new();
    for part in parts {
        part(&mut cases);
    }
    cases
}

/// Networks on sequences and volumes, of the operators that take any number of axes. The language
/// makes neither, and no operator of the table makes them of maps.
#[must_use]
pub fn other_ranks() -> Cases {
    let shapes = [("sequence", Shape::from([6, 7])), ("volume", Shape::from([6, 2, 3, 4]))];
    shapes.map(|(name, shape)| (name.to_owned(), of_any_rank(shape))).into()
}

fn of_any_rank(shape: Shape) -> Network {
    let slice = |start, end| Op::ChannelSlice(ChannelSlice { start, end });
    let mut b = Builder::new("case");
    let x = b.input("x", shape);
    let y = b.op("batch_norm.0", Op::BatchNorm(NORM), &[x]);
    let y = b.op("prelu.0", Op::Prelu(Prelu), &[y]);
    let y = b.op("concat.0", Op::Concat(Concat), &[x, y]);
    let y = b.op("channel_slice.0", slice(2, 9), &[y]);
    let y = b.op("channel_pad.0", Op::ChannelPad(ChannelPad { before: 1, after: 2 }), &[y]);
    let gate = b.op("channel_slice.1", slice(3, 4), &[x]);
    let y = b.op("mul.0", Op::Mul(Mul), &[y, gate]);
    let zero = b.constant("zero.0", Op::Zero(Zero), shape);
    let wide = b.op("concat.1", Op::Concat(Concat), &[y, zero]);
    let sum = b.op("hswish.0", Op::Hswish(Hswish), &[wide]);
    let sum = b.op("add.0", Op::Add(Add), &[wide, sum, wide]);
    let vector = b.op("flatten.0", Op::Flatten(Flatten), &[sum]);
    let vector = b.op("linear.0", Op::Linear(Linear { out: 5, bias: true }), &[vector]);
    b.output("y", sum).output("vector", vector).network()
}

fn convolutions(cases: &mut Cases) {
    let base = conv(6, 3);
    let dilated = |d| Conv { dilation: d, padding: same([3, 3], d), ..base };
    let padded = |before, after| Conv { padding: Padding { before, after }, ..base };
    let square = |k: u32, stride| Conv { stride: [stride; 2], ..conv(6, k) };
    let tall = Conv { kernel: [5, 1], padding: same([5, 1], [1, 1]), ..base };
    for (name, op) in [
        ("1x1", conv(6, 1)),
        ("3x3", base),
        ("bias", Conv { bias: true, ..base }),
        ("stride2", square(3, 2)),
        ("1x1_stride2", square(1, 2)),
        ("stride_2_1", Conv { stride: [2, 1], ..base }),
        ("5x5_stride2", square(5, 2)),
        ("valid", Conv { padding: VALID, ..base }),
        ("2x2_same", conv(6, 2)),
        ("4x4_same_stride2", square(4, 2)),
        ("5x1", tall),
        ("asymmetric_pads", padded([0, 2], [3, 1])),
        ("wide_pads", padded([4, 4], [4, 4])),
        ("dilation2", dilated([2, 2])),
        ("dilation_2_3", dilated([2, 3])),
        ("dilation2_stride2", Conv { stride: [2, 2], ..dilated([2, 2]) }),
        ("dilation2_valid", Conv { padding: VALID, ..dilated([2, 2]) }),
        ("groups2", Conv { groups: groups(2), ..base }),
        ("groups2_dilation2", Conv { groups: groups(2), ..dilated([2, 2]) }),
        ("depthwise", Conv { out: 4, groups: groups(4), ..base }),
        ("depthwise_stride2", Conv { out: 4, groups: groups(4), ..square(5, 2) }),
        (
            "depthwise_dilation2_bias",
            Conv { out: 4, groups: groups(4), bias: true, ..dilated([2, 2]) },
        ),
        ("depthwise_multiplier2", Conv { out: 8, groups: groups(4), ..base }),
        ("stride3", square(3, 3)),
        ("stride4", square(5, 4)),
        ("stride4_valid", Conv { padding: VALID, ..square(5, 4) }),
        ("depthwise_stride3", Conv { out: 4, groups: groups(4), ..square(3, 3) }),
        ("depthwise_stride4", Conv { out: 4, groups: groups(4), ..square(5, 4) }),
        ("depthwise_7x7", Conv { out: 4, groups: groups(4), ..conv(6, 7) }),
        ("11x11", conv(6, 11)),
        (
            "2x4_groups2",
            Conv { kernel: [2, 4], padding: same([2, 4], [1, 1]), groups: groups(2), ..base },
        ),
    ] {
        cases.push((format!("conv_{name}"), single(Op::Conv(op), &[Shape::from([4, 9, 11])])));
    }
}

/// With dilations that divide the size, and those that are the stride: backends rewrite them.
fn dilated_depthwise_convolutions(cases: &mut Cases) {
    for (kernel, dilation, stride) in
        [([3, 3], 2, 1), ([3, 5], 3, 1), ([5, 3], 2, 2), ([3, 3], 3, 3), ([3, 3], 2, 3)]
    {
        let op = Conv {
            out: 4,
            kernel,
            stride: [stride; 2],
            dilation: [dilation; 2],
            groups: groups(4),
            padding: same(kernel, [dilation; 2]),
            ..conv(4, 3)
        };
        let [h, w] = kernel;
        let name = format!("conv_depthwise_{h}x{w}_dilation{dilation}_stride{stride}_even");
        cases.push((name, single(Op::Conv(op), &[Shape::from([4, 12, 18])])));
    }
}

fn transposed_convolutions(cases: &mut Cases) {
    let base = ConvTranspose {
        out: 6,
        kernel: [3, 3],
        stride: [2, 2],
        dilation: [1, 1],
        groups: groups(1),
        bias: false,
        padding: same([3, 3], [1, 1]),
        output_padding: [0, 0],
    };
    let kernel = |k: u32| ConvTranspose { kernel: [k, k], padding: VALID, ..base };
    let pads = |before, after| ConvTranspose { padding: Padding { before, after }, ..base };
    for (name, op) in [
        ("3x3", base),
        ("stride1", ConvTranspose { stride: [1, 1], ..base }),
        ("double", ConvTranspose { output_padding: [1, 1], bias: true, ..base }),
        ("2x2", kernel(2)),
        ("4x4_pad1", ConvTranspose { kernel: [4, 4], ..pads([1, 1], [1, 1]) }),
        ("2x2_same", ConvTranspose { padding: same([2, 2], [1, 1]), ..kernel(2) }),
        ("asymmetric", ConvTranspose { output_padding: [1, 0], ..pads([0, 2], [1, 0]) }),
        ("oblong", ConvTranspose { kernel: [3, 1], stride: [3, 1], padding: VALID, ..base }),
        ("dilation2", ConvTranspose { dilation: [2, 2], padding: same([3, 3], [2, 2]), ..base }),
        ("groups2", ConvTranspose { groups: groups(2), bias: true, ..base }),
        ("depthwise", ConvTranspose { out: 4, groups: groups(4), ..base }),
        (
            "2x4_groups2_stride_1_3",
            ConvTranspose {
                kernel: [2, 4],
                stride: [1, 3],
                groups: groups(2),
                padding: same([2, 4], [1, 1]),
                ..base
            },
        ),
    ] {
        let network = single(Op::ConvTranspose(op), &[Shape::from([4, 5, 6])]);
        cases.push((format!("conv_transpose_{name}"), network));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", Shape::from([4, 5, 6]));
    let x = b.op("conv_transpose.0", Op::ConvTranspose(base), &[x]);
    let x = b.op("batch_norm.0", Op::BatchNorm(NORM), &[x]);
    cases.push(("conv_transpose_norm".to_owned(), b.output("y", x).network()));
}

fn batch_norms(cases: &mut Cases) {
    let map = Shape::from([3, 5, 7]);
    let plain = BatchNorm { affine: false, eps: 1e-3, ..NORM };
    cases.push(("batch_norm_map".to_owned(), single(Op::BatchNorm(NORM), &[map])));
    cases.push(("batch_norm_vector".to_owned(), single(Op::BatchNorm(NORM), &[Shape::from([5])])));
    cases.push(("batch_norm_not_affine".to_owned(), single(Op::BatchNorm(plain), &[map])));
    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let x = b.op("conv.0", Op::Conv(conv(4, 3)), &[x]);
    let x = b.op("batch_norm.0", Op::BatchNorm(plain), &[x]);
    cases.push(("folded_not_affine".to_owned(), b.output("y", x).network()));
    for (name, op) in [
        ("plain", conv(4, 3)),
        ("bias", Conv { bias: true, ..conv(4, 3) }),
        ("depthwise", Conv { out: 3, groups: groups(3), ..conv(4, 3) }),
        ("groups", Conv { out: 6, groups: groups(3), bias: true, ..conv(4, 3) }),
    ] {
        let mut b = Builder::new("case");
        let x = b.input("x", map);
        let x = b.op("conv.0", Op::Conv(op), &[x]);
        let x = b.op("batch_norm.0", Op::BatchNorm(NORM), &[x]);
        let x = b.op("relu.0", Op::Relu(Relu), &[x]);
        cases.push((format!("folded_{name}"), b.output("y", x).network()));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let c = b.op("conv.0", Op::Conv(conv(4, 3)), &[x]);
    let n = b.op("batch_norm.0", Op::BatchNorm(NORM), &[c]);
    let n = b.op("batch_norm.1", Op::BatchNorm(NORM), &[n]);
    let y = b.op("add.0", Op::Add(Add), &[c, n]);
    cases.push(("unfolded_read_twice".to_owned(), b.output("y", y).network()));
    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let c = b.op("conv.0", Op::Conv(conv(4, 3)), &[x]);
    let n = b.op("batch_norm.0", Op::BatchNorm(NORM), &[c]);
    cases.push(("unfolded_output".to_owned(), b.output("y", n).output("z", c).network()));
}

fn pools(cases: &mut Cases) {
    let shape = Shape::from([3, 9, 10]);
    let pad = |before, after| Padding { before, after };
    let windows = [
        ("2", [2, 2], [2, 2], VALID),
        ("2_stride1_same", [2, 2], [1, 1], same([2, 2], [1, 1])),
        ("3_stride2_same", [3, 3], [2, 2], same([3, 3], [1, 1])),
        ("3_stride1_same", [3, 3], [1, 1], same([3, 3], [1, 1])),
        ("4_stride3_same", [4, 4], [3, 3], same([4, 4], [1, 1])),
        ("asymmetric", [3, 3], [2, 2], pad([1, 0], [0, 1])),
        ("3x1", [3, 1], [1, 2], VALID),
        ("2x3_pad", [2, 3], [2, 1], pad([1, 1], [1, 1])),
        ("whole", [9, 10], [1, 1], VALID),
        ("stride_leaves_rest", [2, 2], [4, 4], VALID),
        ("5_stride4_same", [5, 5], [4, 4], same([5, 5], [1, 1])),
        ("8_same", [8, 8], [1, 1], same([8, 8], [1, 1])),
        ("9_same", [9, 9], [1, 1], same([9, 9], [1, 1])),
    ];
    for (name, kernel, stride, padding) in windows {
        for (rounding, ceil) in [("", false), ("_ceil", true)] {
            let window = Pool { kernel, stride, padding, ceil };
            let op = Op::MaxPool(MaxPool { window });
            cases.push((format!("max_pool_{name}{rounding}"), single(op, &[shape])));
            for (suffix, count_include_pad) in [("", false), ("_with_pad", true)] {
                let op = Op::AvgPool(AvgPool { window, count_include_pad });
                cases.push((format!("avg_pool_{name}{rounding}{suffix}"), single(op, &[shape])));
            }
        }
    }
    // The pool of LR-ASPP (Howard et al. 2019) at its own numbers.
    let window = Pool { kernel: [49, 49], stride: [16, 20], padding: VALID, ceil: false };
    let op = AvgPool { window, count_include_pad: false };
    cases.push(("avg_pool_49".to_owned(), single(Op::AvgPool(op), &[Shape::from([2, 64, 128])])));
    for (name, shape) in
        [("map", shape), ("large", Shape::from([2, 64, 128])), ("1x1", Shape::from([4, 1, 1]))]
    {
        let op = Op::GlobalAvgPool(GlobalAvgPool);
        cases.push((format!("global_avg_pool_{name}"), single(op, &[shape])));
    }
}

fn unpools(cases: &mut Cases) {
    for (name, kernel, stride, [h, w]) in
        [("2", [2, 2], [2, 2], [6, 8]), ("rest", [2, 3], [3, 3], [7, 11])]
    {
        let (op, shape) = (MaxUnpool { kernel, stride }, Shape::from([3, h, w]));
        let mut b = Builder::new("case");
        let x = b.input("x", shape);
        let y = b.op("max_pool.0", Op::MaxPool(MaxPool { window: op.pool() }), &[x]);
        let y = b.op("tanh.0", Op::Tanh(Tanh), &[y]);
        let y = b.op("max_unpool.0", Op::MaxUnpool(op), &[y, x]);
        cases.push((format!("max_unpool_{name}"), b.output("y", y).network()));
    }
}

fn elementwise(cases: &mut Cases) {
    for (name, op) in [
        ("drop_path", Op::DropPath(DropPath { p: 0.3 })),
        ("dropout", Op::Dropout(Dropout { p: 0.3 })),
        ("hsigmoid", Op::Hsigmoid(Hsigmoid)),
        ("leaky_relu", Op::LeakyRelu(LeakyRelu { slope: 0.3 })),
        ("prelu", Op::Prelu(Prelu)),
        ("spatial_dropout", Op::SpatialDropout(SpatialDropout { p: 0.3 })),
        ("swish", Op::Swish(Swish)),
        ("tanh", Op::Tanh(Tanh)),
        ("relu", Op::Relu(Relu)),
        ("relu6", Op::Relu6(Relu6)),
        ("sigmoid", Op::Sigmoid(Sigmoid)),
        ("hswish", Op::Hswish(Hswish)),
    ] {
        // Scaled, so that the upper bends are reached.
        let mut b = Builder::new("case");
        let x = b.input("x", Shape::from([3, 16, 16]));
        let wide = b.op("conv.0", Op::Conv(conv(8, 3)), &[x]);
        let y = b.op("op.0", op.clone(), &[wide]);
        cases.push((format!("{name}_map"), b.output("y", y).network()));
        cases.push((format!("{name}_vector"), single(op, &[Shape::from([7])])));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", Shape::from([3, 4, 4]));
    let x = b.op("relu6.0", Op::Relu6(Relu6), &[x]);
    let x = b.op("conv.0", Op::Conv(conv(8, 3)), &[x]);
    let x = b.op("relu6.1", Op::Relu6(Relu6), &[x]);
    cases.push(("relu6_twice".to_owned(), b.output("y", x).network()));
}

fn joins(cases: &mut Cases) {
    let (map, gate, plane) =
        (Shape::from([4, 5, 6]), Shape::from([4, 1, 1]), Shape::from([1, 5, 6]));
    let add = Op::Add(Add);
    let mul = Op::Mul(Mul);
    let concat = Op::Concat(Concat);
    for (name, op, shapes) in [
        ("add_2", &add, vec![map, map]),
        ("add_4", &add, vec![map; 4]),
        ("add_vectors", &add, vec![Shape::from([5]); 3]),
        ("mul_2", &mul, vec![map, map]),
        ("mul_gate", &mul, vec![map, gate]),
        ("mul_gate_first", &mul, vec![gate, map]),
        ("mul_plane", &mul, vec![map, plane]),
        ("mul_outer", &mul, vec![gate, plane]),
        ("mul_3", &mul, vec![gate, plane, map]),
        ("concat_2", &concat, vec![map, Shape::from([3, 5, 6])]),
        ("concat_4", &concat, vec![map, plane, map, plane]),
        ("concat_vectors", &concat, vec![Shape::from([5]), Shape::from([2])]),
    ] {
        cases.push((name.to_owned(), single(op.clone(), &shapes)));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let double = b.op("add.0", Op::Add(Add), &[x, x]);
    let square = b.op("mul.0", Op::Mul(Mul), &[double, double]);
    cases.push(("same_operand_twice".to_owned(), b.output("y", square).network()));
}

fn channels(cases: &mut Cases) {
    let (map, vector) = (Shape::from([12, 5, 6]), Shape::from([12]));
    let shuffle = |n| Op::ChannelShuffle(ChannelShuffle { groups: groups(n) });
    let slice = |start, end| Op::ChannelSlice(ChannelSlice { start, end });
    let pad = |before, after| Op::ChannelPad(ChannelPad { before, after });
    let shift = |kernel, dilation| Op::Shift(Shift { kernel, dilation });
    for (name, op, shape) in [
        ("channel_shuffle_3", shuffle(3), map),
        ("channel_shuffle_4", shuffle(4), map),
        ("channel_shuffle_1", shuffle(1), map),
        ("channel_slice_some", slice(3, 7), map),
        ("channel_slice_all", slice(0, 12), map),
        ("channel_slice_vector", slice(5, 12), vector),
        ("channel_pad_after", pad(0, 4), map),
        ("channel_pad_both", pad(2, 1), map),
        ("channel_pad_vector", pad(2, 1), vector),
        ("shift_3", shift(3, 1), map),
        ("shift_3_dilation2", shift(3, 2), map),
        ("shift_5", shift(5, 1), Shape::from([53, 5, 6])),
        ("shift_1", shift(1, 1), map),
    ] {
        cases.push((name.to_owned(), single(op, &[shape])));
    }
}

fn heads(cases: &mut Cases) {
    let linear = |bias| Op::Linear(Linear { out: 5, bias });
    let flatten = Op::Flatten(Flatten);
    for (name, op, shape) in [
        ("linear", linear(true), Shape::from([12])),
        ("linear_without_bias", linear(false), Shape::from([12])),
        ("linear_of_pixel", linear(true), Shape::from([12, 1, 1])),
        ("flatten_map", flatten.clone(), Shape::from([3, 4, 5])),
        ("flatten_vector", flatten, Shape::from([12])),
    ] {
        cases.push((name.to_owned(), single(op, &[shape])));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", Shape::from([3, 6, 7]));
    let x = b.op("global_avg_pool.0", Op::GlobalAvgPool(GlobalAvgPool), &[x]);
    let x = b.op("conv.0", Op::Conv(Conv { bias: true, ..conv(8, 1) }), &[x]);
    let x = b.op("flatten.0", Op::Flatten(Flatten), &[x]);
    let x = b.op("linear.0", linear(true), &[x]);
    cases.push(("classifier".to_owned(), b.output("y", x).network()));
}

fn resizes(cases: &mut Cases) {
    let modes = [
        ("nearest", ResizeMode::Nearest, false),
        ("linear", ResizeMode::Bilinear, false),
        ("corners", ResizeMode::Bilinear, true),
    ];
    let sizes: [([u32; 2], ResizeTo); 16] = [
        ([5, 7], ResizeTo::Scale([2, 2])),
        ([5, 7], ResizeTo::Scale([3, 1])),
        ([4, 8], ResizeTo::Scale([4, 4])),
        ([4, 8], ResizeTo::Scale([8, 8])),
        ([4, 5], ResizeTo::Scale([16, 16])),
        ([5, 7], ResizeTo::Size([10, 14])),
        ([5, 7], ResizeTo::Size([8, 9])),
        ([5, 7], ResizeTo::Size([3, 4])),
        ([5, 7], ResizeTo::Size([5, 7])),
        ([8, 12], ResizeTo::Size([4, 3])),
        ([5, 7], ResizeTo::Size([1, 1])),
        ([4, 6], ResizeTo::Size([1, 5])),
        ([1, 1], ResizeTo::Size([6, 5])),
        // Where 32 bits put `floor(y * in / out)` a pixel off, in ONNX's order or in PyTorch's.
        ([14, 21], ResizeTo::Size([2, 3])),
        ([14, 5], ResizeTo::Size([16, 11])),
        ([2, 3], ResizeTo::Size([82, 3])),
    ];
    for (mode_name, mode, align_corners) in modes {
        for ([h, w], to) in sizes {
            let op = Resize { to, mode, align_corners };
            let to = match to {
                ResizeTo::Size([y, x]) => format!("to_{y}x{x}"),
                ResizeTo::Scale([y, x]) => format!("by_{y}x{x}"),
            };
            let name = format!("resize_{mode_name}_{h}x{w}_{to}");
            cases.push((name, single(Op::Resize(op), &[Shape::from([2, h, w])])));
        }
    }
}

fn structure(cases: &mut Cases) {
    let map = Shape::from([3, 6, 8]);
    let border = |top, left, bottom, right| Border { top, left, bottom, right };
    let crop = |top, left, bottom, right| Op::Crop(Crop(border(top, left, bottom, right)));
    let pad = |top, left, bottom, right| Op::Pad(Pad(border(top, left, bottom, right)));
    cases.push(("pad_all_sides".to_owned(), single(pad(1, 2, 3, 4), &[map])));
    cases.push(("pad_bottom_right".to_owned(), single(pad(0, 0, 1, 1), &[map])));
    cases.push(("crop_all_sides".to_owned(), single(crop(1, 2, 3, 4), &[map])));
    cases.push(("crop_top_left".to_owned(), single(crop(1, 1, 0, 0), &[map])));
    cases.push(("crop_nothing".to_owned(), single(crop(0, 0, 0, 0), &[map])));
    cases.push(("identity".to_owned(), single(Op::Identity(Identity), &[map])));
    cases.push(("zero".to_owned(), single(Op::Zero(Zero), &[map])));

    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let none = b.constant("zero.0", Op::Zero(Zero), map);
    let y = b.op("concat.0", Op::Concat(Concat), &[x, none]);
    cases.push(("zero_beside".to_owned(), b.output("y", y).network()));

    let mut b = Builder::new("case");
    let x = b.input("x", map);
    cases.push(("input_is_output".to_owned(), b.output("y", x).network()));

    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let unread = b.input("unread", Shape::from([2]));
    let y = b.op("relu.0", Op::Relu(Relu), &[x]);
    let z = b.op("sigmoid.0", Op::Sigmoid(Sigmoid), &[y]);
    b.output("first", y).output("second", y).output("third", z).output("fourth", unread);
    cases.push(("outputs_share_nodes".to_owned(), b.network()));
}
