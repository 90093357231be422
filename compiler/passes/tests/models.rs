//! The passes on models: what they fold, and that the model computes the same.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use nas_cases::networks::{Builder, NORM, conv, groups, single, with_weights};
use nas_cases::{cases, reference};
use nas_ir::network::{NetworkNode, Port, TrainOutput};
use nas_ir::ops::{
    Add, BatchNorm, Conv, ConvTranspose, Dropout, Hsigmoid, Linear, Mul, Padding, Relu, Sigmoid,
};
use nas_ir::{Model, Network, Op, Shape, Tensor};
use nas_passes::model::{
    Normalisation, PASSES, for_export, fuse_gates, normalise, reverse_channels,
};
use nas_passes::{fold_batch_norm, reparameterise};

/// Values from -1 to 1 that repeat late.
fn inputs(network: &Network) -> Vec<Tensor> {
    let shapes = network.inputs.iter().map(|port| network.port_shape(port));
    let tensors = shapes.map(|shape| {
        let values = (0..shape.elements()).map(|i| ((i * 37 + 11) % 101) as f32 / 50.0 - 1.0);
        Tensor::of_floats(shape.batched(1), values.collect())
    });
    tensors.collect()
}

/// That a model is sound and computes what another one does.
fn same(what: &str, before: &Model, after: &Model) {
    assert_eq!(after.verify(), Ok(()), "{what}");
    let [expected, found] =
        [before, after].map(|model| reference::run(model, &inputs(&before.network)));
    assert_eq!(expected.len(), found.len(), "{what}");
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(expected.dims, found.dims, "{what}");
        let largest = expected.floats().unwrap().iter().fold(1e-3_f32, |most, x| most.max(x.abs()));
        let pairs = expected.floats().unwrap().iter().zip(found.floats().unwrap());
        let apart = pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(apart <= largest * 1e-5, "{what}: {apart} of {largest}");
    }
}

/// Operators of a network by path.
fn ops(network: &Network) -> Vec<(&str, &'static str)> {
    let named = network.nodes.iter().filter_map(|node| Some((node, node.op.as_ref()?)));
    named.map(|(node, op)| (node.name.as_str(), op.declaration().name)).collect()
}

#[test]
fn every_pass_leaves_every_case_what_it_computes() {
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        let before = with_weights(&network);
        let mut after = before.clone();
        for pass in PASSES {
            after = pass.run(after).unwrap();
            same(&format!("{name} after {}", pass.name), &before, &after);
        }
    }
}

#[test]
fn a_norm_is_folded_where_nothing_else_reads_the_convolution() {
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([3, 6, 6]));
    let one = b.op("conv.0", Op::Conv(conv(4, 3)), &[x]);
    let one = b.op("batch_norm.0", Op::BatchNorm(NORM), &[one]);
    let biased = Conv { bias: true, ..conv(4, 1) };
    let two = b.op("conv.1", Op::Conv(biased), &[one]);
    let two = b.op("batch_norm.1", Op::BatchNorm(BatchNorm { affine: false, ..NORM }), &[two]);
    let shared = b.op("conv.2", Op::Conv(conv(4, 1)), &[two]);
    let three = b.op("batch_norm.2", Op::BatchNorm(NORM), &[shared]);
    let relu = b.op("relu.0", Op::Relu(Relu), &[three]);
    let four = b.op("batch_norm.3", Op::BatchNorm(NORM), &[relu]);
    let mut network = b.output("y", four).output("z", shared).output("w", two).network();
    let own = network.nodes.len();
    let head = NetworkNode::new("relu.1", Some(Op::Relu(Relu)), vec![1], Shape::from([4, 6, 6]));
    network.training.nodes.push(head);
    let port = Port { name: "aux".to_owned(), node: own };
    network.training.outputs.push(TrainOutput { port, weight: 1.0 });

    let before = with_weights(&network);
    let after = fold_batch_norm(before.clone());
    same("folded", &before, &after);
    let expected = [
        ("conv.0", "conv"),
        ("conv.1", "conv"),
        ("conv.2", "conv"),
        ("batch_norm.2", "batch_norm"),
        ("relu.0", "relu"),
        ("batch_norm.3", "batch_norm"),
    ];
    assert_eq!(ops(&after.network), expected);
    let values: Vec<&str> = after.network.nodes.iter().map(NetworkNode::value_name).collect();
    assert_eq!(values[..4], ["x", "batch_norm.0", "batch_norm.1", "conv.2"]);
    assert!(after.network.training.outputs.is_empty());
}

#[test]
fn a_value_times_its_own_gate_is_one_activation() {
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([3, 4, 4]));
    let gate = b.op("gate.0", Op::Sigmoid(Sigmoid), &[x]);
    let swish = b.op("mul.0", Op::Mul(Mul), &[gate, x]);
    let gate = b.op("gate.1", Op::Hsigmoid(Hsigmoid), &[swish]);
    let hswish = b.op("mul.1", Op::Mul(Mul), &[swish, gate]);
    // A gate of another value, one that another reads, one that is an output, and a product of three.
    let gate = b.op("gate.2", Op::Sigmoid(Sigmoid), &[x]);
    let other = b.op("mul.2", Op::Mul(Mul), &[hswish, gate]);
    let gate = b.op("gate.3", Op::Sigmoid(Sigmoid), &[other]);
    let read = b.op("mul.3", Op::Mul(Mul), &[other, gate]);
    let read = b.op("add.0", Op::Add(Add), &[read, gate]);
    let seen = b.op("gate.4", Op::Sigmoid(Sigmoid), &[read]);
    let last = b.op("mul.4", Op::Mul(Mul), &[read, seen]);
    let gate = b.op("gate.5", Op::Sigmoid(Sigmoid), &[last]);
    let three = b.op("mul.5", Op::Mul(Mul), &[last, last, gate]);
    let before = with_weights(&b.output("y", three).output("z", seen).network());
    let after = fuse_gates(before.clone());
    same("fused", &before, &after);
    let kept =
        ops(&before.network).into_iter().filter(|(name, _)| !["gate.0", "gate.1"].contains(name));
    let expected: Vec<_> = kept
        .map(|row| match row {
            ("mul.0", _) => ("mul.0", "swish"),
            ("mul.1", _) => ("mul.1", "hswish"),
            row => row,
        })
        .collect();
    assert_eq!(ops(&after.network), expected);
}

/// 0.1 / sqrt(0.3) in 32 bits throughout would be off by one unit in the last place or more.
#[test]
fn folding_rounds_once() {
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([1, 1, 1]));
    let y = b.op("c", Op::Conv(conv(1, 1)), &[x]);
    let y = b.op("n", Op::BatchNorm(NORM), &[y]);
    let mut model = with_weights(&b.output("y", y).network());
    let set = |model: &mut Model, values: &[(&str, f32)]| {
        for (name, value) in values {
            model.weights[*name].floats_mut().unwrap()[0] = *value;
        }
    };
    let norm = [("n.weight", 0.1), ("n.bias", 0.7), ("n.running_mean", 0.9)];
    set(&mut model, &norm);
    set(&mut model, &[("c.weight", 0.3), ("n.running_var", 0.3)]);
    let folded = fold_batch_norm(model);
    let factor = f64::from(0.1_f32) / (f64::from(0.3_f32) + 1e-5).sqrt();
    let value = |name: &str| folded.weights[name].floats().unwrap()[0];
    assert_eq!(value("c.weight"), (f64::from(0.3_f32) * factor) as f32);
    assert_eq!(value("c.bias"), (f64::from(0.7_f32) - factor * f64::from(0.9_f32)) as f32);
    assert_eq!(folded.weights.len(), 2);
}

/// Sums that are one convolution, and the padding and kernel of that.
#[test]
fn sums_of_convolutions_of_one_tensor_become_one() {
    let padded = |before, after| Padding { before, after };
    let tall = Conv { kernel: [3, 1], padding: padded([1, 0], [1, 0]), ..conv(4, 1) };
    let wide = Conv { kernel: [1, 3], padding: padded([0, 1], [0, 1]), ..conv(4, 1) };
    let depthwise = |kernel| Conv { groups: groups(4), ..conv(4, kernel) };
    let halved = |kernel: u32, padding| Conv { stride: [2, 2], padding, ..conv(6, kernel) };
    // Three places from the one before, and five from two before.
    let [small, large] = [halved(3, padded([1, 1], [1, 1])), halved(5, padded([2, 1], [2, 3]))];
    type Row<'a> = (&'a str, Vec<Conv>, bool, [u32; 2], Padding);
    let rows: [Row<'_>; 5] = [
        ("asymmetric", vec![tall, wide], false, [3, 3], padded([1, 1], [1, 1])),
        ("with itself", vec![conv(4, 3)], true, [3, 3], padded([1, 1], [1, 1])),
        ("depthwise", vec![depthwise(3), depthwise(1)], true, [3, 3], padded([1, 1], [1, 1])),
        ("five", vec![conv(4, 5), conv(4, 1), conv(4, 3)], true, [5, 5], padded([2, 2], [2, 2])),
        ("strided", vec![small, large], false, [5, 5], padded([2, 1], [2, 3])),
    ];
    for (what, convs, itself, kernel, padding) in rows {
        let mut b = Builder::new("s");
        let x = b.input("x", Shape::from([4, 8, 7]));
        let mut branches: Vec<usize> = convs
            .iter()
            .enumerate()
            .map(|(i, conv)| {
                let y = b.op(&format!("conv.{i}"), Op::Conv(*conv), &[x]);
                b.op(&format!("batch_norm.{i}"), Op::BatchNorm(NORM), &[y])
            })
            .collect();
        branches.extend(itself.then_some(x));
        let sum = b.op("add.0", Op::Add(Add), &branches);
        let y = b.op("relu.0", Op::Relu(Relu), &[sum]);
        let before = with_weights(&b.output("y", y).network());
        let after = reparameterise(before.clone());
        same(what, &before, &after);
        assert_eq!(ops(&after.network), [("add.0", "conv"), ("relu.0", "relu")], "{what}");
        let expected = Conv { kernel, padding, bias: true, ..convs[0] };
        assert_eq!(after.network.nodes[1].op, Some(Op::Conv(expected)), "{what}");
    }
}

#[test]
fn other_sums_stay() {
    let base = conv(4, 3);
    let dilated =
        Conv { dilation: [2, 2], padding: Padding { before: [2, 2], after: [2, 2] }, ..base };
    let grouped = Conv { groups: groups(2), ..base };
    for (what, op) in [("dilation", dilated), ("groups", grouped)] {
        let mut b = Builder::new("s");
        let x = b.input("x", Shape::from([4, 8, 8]));
        let [one, two] =
            [("conv.0", base), ("conv.1", op)].map(|(n, op)| b.op(n, Op::Conv(op), &[x]));
        let y = b.op("add.0", Op::Add(Add), &[one, two]);
        let before = with_weights(&b.output("y", y).network());
        assert_eq!(reparameterise(before.clone()), before, "{what}");
    }
    // Another tensor, one that is also read elsewhere, and no convolution at all.
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([4, 8, 8]));
    let r = b.op("relu.0", Op::Relu(Relu), &[x]);
    let one = b.op("conv.0", Op::Conv(base), &[x]);
    let two = b.op("conv.1", Op::Conv(base), &[r]);
    let sum = b.op("add.0", Op::Add(Add), &[one, two]);
    let three = b.op("conv.2", Op::Conv(base), &[sum]);
    let other = b.op("add.1", Op::Add(Add), &[three, sum]);
    let norm = b.op("batch_norm.0", Op::BatchNorm(NORM), &[other]);
    let last = b.op("add.2", Op::Add(Add), &[other, norm]);
    let network = b.output("y", last).output("z", three).network();
    let before = with_weights(&network);
    assert_eq!(reparameterise(before.clone()), before);
    let alone = with_weights(&single(Op::Add(Add), &[Shape::from([2, 3, 3]); 2]));
    assert_eq!(reparameterise(alone.clone()), alone);
}

#[test]
fn norms_are_folded_into_transposed_convolutions_and_linear_layers_through_dropout() {
    let transposed = |groups_of: u32, bias| {
        Op::ConvTranspose(ConvTranspose {
            out: 6,
            kernel: [3, 2],
            stride: [2, 2],
            dilation: [1, 1],
            groups: groups(groups_of),
            bias,
            padding: Padding { before: [1, 0], after: [0, 0] },
            output_padding: [1, 0],
        })
    };
    let linear = |bias| Op::Linear(Linear { out: 5, bias });
    let map = Shape::from([4, 5, 6]);
    let rows = [
        ("conv_transpose", transposed(1, false), map),
        ("conv_transpose with a bias, in groups", transposed(2, true), map),
        ("linear", linear(false), Shape::from([7])),
        ("linear with a bias", linear(true), Shape::from([7])),
    ];
    for (what, op, shape) in rows {
        let mut b = Builder::new("s");
        let x = b.input("x", shape);
        let y = b.op("kernel.0", op, &[x]);
        let y = b.op("dropout.0", Op::Dropout(Dropout { p: 0.5 }), &[y]);
        let y = b.op("batch_norm.0", Op::BatchNorm(NORM), &[y]);
        let before = with_weights(&b.output("y", y).network());
        let after = for_export(before.clone()).unwrap();
        same(what, &before, &after);
        assert_eq!(ops(&after.network).len(), 1, "{what}");
        assert_eq!(after.network.nodes[1].value_name(), "batch_norm.0", "{what}");
    }
}

#[test]
fn the_normalisation_of_an_input_becomes_a_part_of_its_convolutions() {
    let unpadded = Conv { padding: Padding { before: [0, 0], after: [0, 0] }, ..conv(4, 3) };
    let depthwise = Conv { groups: groups(3), ..unpadded };
    let by = Normalisation {
        input: "x".to_owned(),
        white: 255.0,
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
    };
    type Row<'a> = (&'a str, Vec<Conv>, &'a [(&'a str, &'a str)]);
    let rows: [Row<'_>; 4] = [
        ("unpadded", vec![unpadded], &[("conv.0", "conv")]),
        ("depthwise", vec![Conv { out: 3, ..depthwise }], &[("conv.0", "conv")]),
        ("padded", vec![conv(4, 3)], &[("x/normalise", "batch_norm"), ("conv.0", "conv")]),
        (
            "two of which one is padded",
            vec![unpadded, conv(4, 1), conv(5, 3)],
            &[
                ("x/normalise", "batch_norm"),
                ("conv.0", "conv"),
                ("conv.1", "conv"),
                ("conv.2", "conv"),
            ],
        ),
    ];
    for (what, convs, expected) in rows {
        let mut b = Builder::new("s");
        let x = b.input("x", Shape::from([3, 8, 8]));
        let outputs: Vec<usize> = convs
            .iter()
            .enumerate()
            .map(|(i, conv)| b.op(&format!("conv.{i}"), Op::Conv(*conv), &[x]))
            .collect();
        for (i, output) in outputs.into_iter().enumerate() {
            b.output(&format!("y{i}"), output);
        }
        let plain = with_weights(&b.network());
        let inside = normalise(plain.clone(), &by);
        assert_eq!(inside.verify(), Ok(()), "{what}");
        let after = for_export(inside.clone()).unwrap();
        same(what, &inside, &after);
        assert_eq!(ops(&after.network), *expected, "{what}");

        // By hand: the plain network on numbers that were normalised before.
        let raw = &inputs(&plain.network)[0];
        let normalised = raw.floats().unwrap().iter().enumerate().map(|(i, &x)| {
            let channel = i / 64;
            (x / 255.0 - by.mean[channel]) / by.std[channel]
        });
        let normalised = Tensor::of_floats(raw.dims.clone(), normalised.collect());
        let expected = reference::run(&plain, &[normalised]);
        let found = reference::run(&after, std::slice::from_ref(raw));
        for (expected, found) in expected.iter().zip(&found) {
            for (a, b) in expected.floats().unwrap().iter().zip(found.floats().unwrap()) {
                assert!((a - b).abs() < 2e-5, "{what}: {a} {b}");
            }
        }
    }
}

#[test]
fn the_order_of_channels_becomes_a_part_of_the_kernels() {
    let by = Normalisation {
        input: "x".to_owned(),
        white: 1.0,
        mean: vec![0.4, 0.5, 0.6],
        std: vec![0.2, 0.3, 0.4],
    };
    let depthwise = Conv { groups: groups(3), ..conv(3, 3) };
    for (what, first, folded) in [("dense", conv(4, 3), true), ("depthwise", depthwise, false)] {
        let mut b = Builder::new("s");
        let x = b.input("x", Shape::from([3, 5, 4]));
        let z = b.input("z", Shape::from([2]));
        let y = b.op("conv.0", Op::Conv(first), &[x]);
        let two = b.op("conv.1", Op::Conv(first), &[x]);
        let plain = with_weights(&b.output("y", y).output("two", two).output("z", z).network());
        let turned = reverse_channels(plain.clone(), "x");
        assert_eq!(turned.verify(), Ok(()), "{what}");
        let inside = reverse_channels(normalise(plain.clone(), &by), "x");
        let after = for_export(inside.clone()).unwrap();
        same(what, &inside, &after);
        let is_folded = ops(&after.network).iter().all(|(_, op)| *op != "concat");
        assert_eq!(is_folded, folded, "{what}");

        let given = inputs(&plain.network);
        let planes: Vec<&[f32]> = given[0].floats().unwrap().chunks(20).rev().collect();
        let reversed = Tensor::of_floats(given[0].dims.clone(), planes.concat());
        let expected = reference::run(&plain, &given);
        assert_eq!(reference::run(&turned, &[reversed, given[1].clone()]), expected, "{what}");
    }
}
