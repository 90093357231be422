//! Small networks: each operator alone at several parameters, and what they do together.

use nas_compiler::Network;
use nas_compiler::ops::{
    Add, AvgPool, Concat, Conv, Crop, GlobalAvgPool, Hswish, Identity, MaxPool, Mul, Op, Padding,
    Relu, Relu6, Resize, ResizeMode, ResizeTo, Sigmoid, Zero,
};
use nas_compiler::shape::Shape;

use crate::support::{Builder, NORM, VALID, conv, same};

/// A network of one operator; its inputs are `a`, `b`, ….
fn one(op: Op, shapes: &[Shape]) -> Network {
    let mut b = Builder::new("case");
    let names = ["a", "b", "c", "d"];
    let inputs: Vec<usize> = names.iter().zip(shapes).map(|(n, &s)| b.input(n, s)).collect();
    let y = b.op("op.0", op, &inputs);
    b.output("y", y).network()
}

type Cases = Vec<(String, Network)>;

/// All of them, each with a name.
pub(crate) fn all() -> Cases {
    let groups: [fn(&mut Cases); 7] =
        [convolutions, batch_norms, pools, elementwise, joins, resizes, structure];
    let mut cases = Vec::new();
    for group in groups {
        group(&mut cases);
    }
    cases
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
        ("groups2", Conv { groups: 2, ..base }),
        ("groups2_dilation2", Conv { groups: 2, ..dilated([2, 2]) }),
        ("depthwise", Conv { out: 4, groups: 4, ..base }),
        ("depthwise_stride2", Conv { out: 4, groups: 4, ..square(5, 2) }),
        ("depthwise_dilation2_bias", Conv { out: 4, groups: 4, bias: true, ..dilated([2, 2]) }),
        ("depthwise_multiplier2", Conv { out: 8, groups: 4, ..base }),
    ] {
        cases.push((format!("conv_{name}"), one(Op::Conv(op), &[Shape::map(4, 9, 11)])));
    }
}

fn batch_norms(cases: &mut Cases) {
    let map = Shape::map(3, 5, 7);
    cases.push(("batch_norm_map".to_owned(), one(Op::BatchNorm(NORM), &[map])));
    cases.push(("batch_norm_vector".to_owned(), one(Op::BatchNorm(NORM), &[Shape::vector(5)])));
    for (name, op) in [
        ("plain", conv(4, 3)),
        ("bias", Conv { bias: true, ..conv(4, 3) }),
        ("depthwise", Conv { out: 3, groups: 3, ..conv(4, 3) }),
        ("groups", Conv { out: 6, groups: 3, bias: true, ..conv(4, 3) }),
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
    let shape = Shape::map(3, 9, 10);
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
    ];
    for (name, kernel, stride, padding) in windows {
        let op = Op::MaxPool(MaxPool { kernel, stride, padding });
        cases.push((format!("max_pool_{name}"), one(op, &[shape])));
        for (suffix, count_include_pad) in [("", false), ("_with_pad", true)] {
            let op = Op::AvgPool(AvgPool { kernel, stride, padding, count_include_pad });
            cases.push((format!("avg_pool_{name}{suffix}"), one(op, &[shape])));
        }
    }
    // The pool of LR-ASPP (Howard et al. 2019) at its own numbers.
    let (kernel, stride) = ([49, 49], [16, 20]);
    let op = AvgPool { kernel, stride, padding: VALID, count_include_pad: false };
    cases.push(("avg_pool_49".to_owned(), one(Op::AvgPool(op), &[Shape::map(2, 64, 128)])));
    for (name, shape) in
        [("map", shape), ("large", Shape::map(2, 64, 128)), ("1x1", Shape::map(4, 1, 1))]
    {
        let op = Op::GlobalAvgPool(GlobalAvgPool);
        cases.push((format!("global_avg_pool_{name}"), one(op, &[shape])));
    }
}

fn elementwise(cases: &mut Cases) {
    for (name, op) in [
        ("relu", Op::Relu(Relu)),
        ("relu6", Op::Relu6(Relu6)),
        ("sigmoid", Op::Sigmoid(Sigmoid)),
        ("hswish", Op::Hswish(Hswish)),
    ] {
        // Scaled, so that the upper bends are reached.
        let mut b = Builder::new("case");
        let x = b.input("x", Shape::map(3, 16, 16));
        let wide = b.op("conv.0", Op::Conv(conv(8, 3)), &[x]);
        let y = b.op("op.0", op.clone(), &[wide]);
        cases.push((format!("{name}_map"), b.output("y", y).network()));
        cases.push((format!("{name}_vector"), one(op, &[Shape::vector(7)])));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", Shape::map(3, 4, 4));
    let x = b.op("relu6.0", Op::Relu6(Relu6), &[x]);
    let x = b.op("conv.0", Op::Conv(conv(8, 3)), &[x]);
    let x = b.op("relu6.1", Op::Relu6(Relu6), &[x]);
    cases.push(("relu6_twice".to_owned(), b.output("y", x).network()));
}

fn joins(cases: &mut Cases) {
    let (map, gate, plane) = (Shape::map(4, 5, 6), Shape::map(4, 1, 1), Shape::map(1, 5, 6));
    let add = Op::Add(Add);
    let mul = Op::Mul(Mul);
    let concat = Op::Concat(Concat);
    for (name, op, shapes) in [
        ("add_2", &add, vec![map, map]),
        ("add_4", &add, vec![map; 4]),
        ("add_vectors", &add, vec![Shape::vector(5); 3]),
        ("mul_2", &mul, vec![map, map]),
        ("mul_gate", &mul, vec![map, gate]),
        ("mul_gate_first", &mul, vec![gate, map]),
        ("mul_plane", &mul, vec![map, plane]),
        ("mul_outer", &mul, vec![gate, plane]),
        ("mul_3", &mul, vec![gate, plane, map]),
        ("concat_2", &concat, vec![map, Shape::map(3, 5, 6)]),
        ("concat_4", &concat, vec![map, plane, map, plane]),
        ("concat_vectors", &concat, vec![Shape::vector(5), Shape::vector(2)]),
    ] {
        cases.push((name.to_owned(), one(op.clone(), &shapes)));
    }
    let mut b = Builder::new("case");
    let x = b.input("x", map);
    let double = b.op("add.0", Op::Add(Add), &[x, x]);
    let square = b.op("mul.0", Op::Mul(Mul), &[double, double]);
    cases.push(("same_operand_twice".to_owned(), b.output("y", square).network()));
}

fn resizes(cases: &mut Cases) {
    let modes = [
        ("nearest", ResizeMode::Nearest, false),
        ("linear", ResizeMode::Bilinear, false),
        ("corners", ResizeMode::Bilinear, true),
    ];
    let sizes: [([u32; 2], ResizeTo); 14] = [
        ([5, 7], ResizeTo::Scale([2, 2])),
        ([5, 7], ResizeTo::Scale([3, 1])),
        ([4, 8], ResizeTo::Scale([8, 8])),
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
            cases.push((name, one(Op::Resize(op), &[Shape::map(2, h, w)])));
        }
    }
}

fn structure(cases: &mut Cases) {
    let map = Shape::map(3, 6, 8);
    let crop = |top, left, bottom, right| Op::Crop(Crop { top, left, bottom, right });
    cases.push(("crop_all_sides".to_owned(), one(crop(1, 2, 3, 4), &[map])));
    cases.push(("crop_top_left".to_owned(), one(crop(1, 1, 0, 0), &[map])));
    cases.push(("crop_nothing".to_owned(), one(crop(0, 0, 0, 0), &[map])));
    cases.push(("identity".to_owned(), one(Op::Identity(Identity), &[map])));
    cases.push(("zero".to_owned(), one(Op::Zero(Zero), &[map])));

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
    let unread = b.input("unread", Shape::vector(2));
    let y = b.op("relu.0", Op::Relu(Relu), &[x]);
    let z = b.op("sigmoid.0", Op::Sigmoid(Sigmoid), &[y]);
    b.output("first", y).output("second", y).output("third", z).output("fourth", unread);
    cases.push(("outputs_share_nodes".to_owned(), b.network()));
}
