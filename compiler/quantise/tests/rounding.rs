//! What is rounded, and what is done about what that loses, on small networks by definition of their operators.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use nas_cases::networks::{Builder, conv, groups, with_weights};
use nas_cases::reference;
use nas_ir::grid::to_half;
use nas_ir::ops::{Add, Concat, Conv, Hswish, MaxPool, Padding, Pool, Relu, Relu6};
use nas_ir::{Model, Op, Precision, Shape, Tensor};
use nas_quantise::{
    Grids, Method, Plan, Scheme, calibrated, correct_biases, equalise, sensitivity,
};

/// Inputs of this seed, from -1 to 1.
fn input(model: &Model, seed: u32) -> Vec<Tensor> {
    let shape = model.network.port_shape(&model.network.inputs[0]);
    let number = |i: u32| ((i * 37 + seed * 53 + 11) % 101) as f32 / 50.0 - 1.0;
    let numbers = (0..shape.elements() as u32).map(number).collect();
    vec![Tensor::of_floats(shape.batched(1), numbers)]
}

fn batches(model: &Model) -> Vec<Vec<Tensor>> {
    (1..=4).map(|seed| input(model, seed)).collect()
}

fn run(model: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, ()> {
    Ok(reference::run(model, inputs))
}

fn rounded(model: &Model, plan: &Plan) -> Model {
    let scheme = Scheme::default();
    let how = (Method::MinMax, scheme);
    let grids = calibrated(model, plan, how, &batches(model), &mut run).unwrap();
    Grids::of(scheme, model, plan, grids).rounded(model.clone(), plan)
}

/// These nodes, with 32-bit floats.
fn of_floats(nodes: impl IntoIterator<Item = usize>) -> BTreeMap<usize, Precision> {
    nodes.into_iter().map(|node| (node, Precision::Fp32)).collect()
}

fn biased(out: u32, kernel: u32) -> Conv {
    Conv { bias: true, ..conv(out, kernel) }
}

/// Three inverted-residual layers' worth of operators.
fn network() -> Model {
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([3, 8, 8]));
    let y = b.op("conv.0", Op::Conv(biased(6, 3)), &[x]);
    let y = b.op("relu.0", Op::Relu(Relu), &[y]);
    let deep = Conv { groups: groups(6), ..biased(6, 3) };
    let y = b.op("conv.1", Op::Conv(deep), &[y]);
    let y = b.op("relu.1", Op::Relu(Relu), &[y]);
    let y = b.op("conv.2", Op::Conv(biased(3, 1)), &[y]);
    let sum = b.op("add.0", Op::Add(Add), &[x, y]);
    with_weights(&b.output("y", sum).network())
}

/// For each node, the group of its value.
fn groups_of(model: &Model, plan: &Plan) -> Vec<(String, Option<usize>)> {
    let names = model.network.nodes.iter().map(|node| node.name.clone());
    names.zip(plan.groups.iter().copied()).collect()
}

#[test]
fn values_are_rounded_between_what_engines_compute_at_once() {
    let model = network();
    let plan = Plan::of(&model.network, &BTreeMap::new());
    let expected = [
        ("x", Some(0)),
        ("conv.0", None),
        ("relu.0", Some(1)),
        ("conv.1", None),
        ("relu.1", Some(2)),
        ("conv.2", Some(3)),
        ("add.0", Some(4)),
    ];
    assert_eq!(groups_of(&model, &plan), expected.map(|(name, group)| (name.to_owned(), group)));
    assert_eq!(plan.kernels, [1, 3, 5]);

    // Where all kernels are of floats, nothing is rounded; and nothing is between two of these.
    let plan = Plan::of(&model.network, &of_floats([1, 3, 5]));
    assert_eq!((plan.count, plan.kernels.len()), (0, 0));
    let plan = Plan::of(&model.network, &of_floats([1, 3]));
    let rounds: Vec<bool> = plan.groups.iter().map(Option::is_some).collect();
    assert_eq!(rounds, [true, false, false, false, true, true, true]);

    // With floats between two layers nothing is rounded there.
    let floats = of_floats([1, 2, 3, 4]);
    let plan = Plan::of(&model.network, &floats);
    let rounds: Vec<bool> = plan.groups.iter().map(Option::is_some).collect();
    assert_eq!(rounds, [true, false, false, false, true, true, true]);
    assert_eq!(plan.kernels, [5]);
}

#[test]
fn what_moves_or_joins_values_shares_their_grid() {
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([3, 8, 8]));
    let one = b.op("conv.0", Op::Conv(biased(4, 3)), &[x]);
    let one = b.op("relu6.0", Op::Relu6(Relu6), &[one]);
    let zero = Padding { before: [0, 0], after: [0, 0] };
    let window = Pool { kernel: [2, 2], stride: [2, 2], padding: zero, ceil: false };
    let pooled = b.op("max_pool.0", Op::MaxPool(MaxPool { window }), &[one]);
    let two = b.op("conv.1", Op::Conv(Conv { stride: [2, 2], ..biased(4, 3) }), &[x]);
    let two = b.op("hswish.0", Op::Hswish(Hswish), &[two]);
    let both = b.op("concat.0", Op::Concat(Concat), &[pooled, two]);
    let model = with_weights(&b.output("y", both).network());
    let plan = Plan::of(&model.network, &BTreeMap::new());
    let group =
        |name: &str| groups_of(&model, &plan).into_iter().find(|(own, _)| own == name).unwrap().1;
    let shared = group("concat.0");
    assert!(["relu6.0", "max_pool.0", "hswish.0"].into_iter().all(|name| group(name) == shared));
    assert_eq!([group("conv.0"), group("conv.1").filter(|_| false)], [None, None]);
    assert!(group("conv.1").is_some() && group("conv.1") != shared && group("x") != shared);
}

#[test]
fn a_rounded_network_is_near_its_floats_and_its_tensors_are_whole() {
    let model = network();
    let plan = Plan::of(&model.network, &BTreeMap::new());
    let rounded = rounded(&model, &plan);
    assert_eq!(rounded.verify(), Ok(()));
    for index in &plan.kernels {
        let node = &rounded.network.nodes[*index];
        let steps = node.rounding.kernel.as_ref().unwrap();
        let kernel = rounded.weights[&format!("{}.weight", node.name)].floats().unwrap();
        for (row, step) in kernel.chunks(kernel.len() / steps.len()).zip(steps) {
            for tap in row {
                let level = f64::from(*tap) / f64::from(*step);
                assert!((level - level.round()).abs() < 1e-3 && level.abs() < 127.5, "{level}");
            }
            assert!(row.iter().any(|tap| (tap.abs() / step).round() == 127.0));
        }
    }
    let given = input(&model, 9);
    let [floats, integers] = [&model, &rounded].map(|model| reference::run(model, &given));
    let largest = floats[0].floats().unwrap().iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let pairs = floats[0].floats().unwrap().iter().zip(integers[0].floats().unwrap());
    let apart = pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(apart > 0.0 && apart < 0.06 * largest, "{apart} of {largest}");
}

#[test]
fn equalised_kernels_compute_the_same_and_are_alike() {
    let mut model = network();
    // A channel a hundred times as large as the others, which the next layer takes back.
    let row = model.weights["conv.0.weight"].floats_mut().unwrap();
    row.iter_mut().take(27).for_each(|tap| *tap *= 100.0);
    model.weights["conv.0.bias"].floats_mut().unwrap()[0] *= 100.0;
    let row = model.weights["conv.1.weight"].floats_mut().unwrap();
    row.iter_mut().take(9).for_each(|tap| *tap /= 100.0);
    let equal = equalise(model.clone());
    let given = input(&model, 3);
    let [before, after] = [&model, &equal].map(|model| reference::run(model, &given));
    for (a, b) in before[0].floats().unwrap().iter().zip(after[0].floats().unwrap()) {
        assert!((a - b).abs() < 1e-4 * a.abs().max(1.0), "{a} {b}");
    }
    let largest = |model: &Model| -> Vec<f32> {
        let kernel = model.weights["conv.0.weight"].floats().unwrap();
        kernel.chunks(27).map(|row| row.iter().fold(0.0_f32, |m, x| m.max(x.abs()))).collect()
    };
    let spread = |model: &Model| {
        let rows = largest(model);
        rows.iter().copied().fold(0.0, f32::max) / rows.iter().copied().fold(f32::MAX, f32::min)
    };
    assert!(spread(&model) > 50.0 && spread(&equal) < 5.0, "{} {}", spread(&model), spread(&equal));
}

#[test]
fn corrected_biases_take_out_what_rounding_adds_on_average() {
    let model = network();
    let plan = Plan::of(&model.network, &BTreeMap::new());
    let scheme = Scheme { powers_of_two: true, symmetric: true };
    let how = (Method::MinMax, scheme);
    let grids = calibrated(&model, &plan, how, &batches(&model), &mut run).unwrap();
    let plain = Grids::of(scheme, &model, &plan, grids).rounded(model.clone(), &plan);
    let batches = batches(&model);
    let corrected =
        correct_biases(&model, plain.clone(), &plan, &batches, &mut run, |_, _| ()).unwrap();
    let mean = |of: &Model| -> f64 {
        let outputs = batches.iter().map(|batch| reference::run(of, batch).remove(0));
        outputs.flat_map(|output| output.floats().unwrap().to_vec()).map(f64::from).sum()
    };
    let [floats, before, after] = [&model, &plain, &corrected].map(mean);
    assert!((after - floats).abs() < 0.5 * (before - floats).abs(), "{floats} {before} {after}");
}

#[test]
fn the_layer_that_is_hardest_to_round_comes_first() {
    let mut model = network();
    // In one channel of the last layer a tap that is a thousand times as large as the others, of a channel that is 0.
    let kernel = model.weights["conv.2.weight"].floats_mut().unwrap();
    for row in kernel.chunks_mut(6) {
        row[0] *= 1000.0;
    }
    let dead = model.weights["conv.1.weight"].floats_mut().unwrap();
    dead.iter_mut().take(9).for_each(|tap| *tap = 0.0);
    model.weights["conv.1.bias"].floats_mut().unwrap()[0] = 0.0;
    let plan = Plan::of(&model.network, &BTreeMap::new());
    let scheme = Scheme::default();
    let batches = batches(&model);
    let grids = calibrated(&model, &plan, (Method::MinMax, scheme), &batches, &mut run).unwrap();
    let grids = Grids::of(scheme, &model, &plan, grids);
    let layers = sensitivity(&model, &plan, &grids, &batches, &mut run, |_, _| ()).unwrap();
    assert_eq!((layers.len(), layers[0].path.as_str()), (3, "conv.2"));
    assert!(layers[0].decibels < layers[1].decibels - 6.0, "{layers:?}");
}

#[test]
fn what_stands_between_layers_of_16_bits_has_16_bits_and_beside_32_bits_32() {
    let model = network();
    let with = |floats: [(usize, Precision); 2]| Plan::of(&model.network, &BTreeMap::from(floats));
    let (fp32, fp16, int8) = (Precision::Fp32, Precision::Fp16, Precision::Int8);
    let plan = with([(1, fp16), (3, fp16)]);
    let precisions: Vec<Precision> =
        plan.precisions.iter().map(|(_, precision)| *precision).collect();
    assert_eq!(precisions, [fp32, fp16, fp16, fp16, int8, int8, int8]);
    let plan = with([(1, fp16), (3, fp32)]);
    assert_eq!([1, 2, 3].map(|node| plan.precisions[node]), [fp16, fp32, fp32]);

    // Its weights are 16-bit floats, and its values before they are rounded.
    let plan = with([(1, fp16), (3, fp16)]);
    let rounded = rounded(&model, &plan);
    assert_eq!(rounded.network.nodes[1].rounding.precision, fp16);
    let weights = |name: &str| rounded.weights[name].floats().unwrap().to_vec();
    for name in ["conv.0.weight", "conv.0.bias", "conv.1.weight"] {
        assert!(weights(name).iter().all(|&x| to_half(x) == x), "{name}");
        assert_ne!(weights(name), model.weights[name].floats().unwrap(), "{name}");
    }
    let given = input(&model, 9);
    let [floats, halves] = [&model, &rounded].map(|model| reference::run(model, &given));
    assert_ne!(floats, halves);
}

#[test]
fn a_part_of_a_plan_has_the_grids_of_the_whole_and_learned_steps_replace_them() {
    let mut model = network();
    let whole = Plan::of(&model.network, &BTreeMap::new());
    let scheme = Scheme::default();
    let how = (Method::MinMax, scheme);
    let values = calibrated(&model, &whole, how, &batches(&model), &mut run).unwrap();
    let grids = Grids::of(scheme, &model, &whole, values);
    let part = Plan::of(&model.network, &of_floats([3]));
    let own = grids.of_part(&whole, &part).unwrap();
    assert_eq!(own.kernels, [grids.kernels[0].clone(), grids.kernels[2].clone()]);
    let of = |plan: &Plan, grids: &Grids, node: usize| grids.values[plan.groups[node].unwrap()];
    assert!([0, 2, 4, 6].iter().all(|&node| of(&part, &own, node) == of(&whole, &grids, node)));
    let more = grids.of_part(&whole, &Plan::of(&model.network, &of_floats([2])));
    assert_eq!(more, None, "the value of conv.0 has no grid where `relu` takes it up");

    // What was not learned stays; a negative number counts by its size.
    let mut steps = grids.steps(&model, &whole);
    assert_eq!(steps.len(), whole.count + 3);
    assert_eq!(grids.learned(&model, &whole, scheme, &steps), grids);
    steps["conv.0.weight.step"].floats_mut().unwrap()[1] = -0.125;
    steps["values.1.step"].floats_mut().unwrap()[0] = 0.3;
    let learned = grids.learned(&model, &whole, scheme, &steps);
    assert_eq!((learned.kernels[0][1], learned.values[1].step), (0.125, 0.3));
    assert_eq!(learned.values[1].zero, grids.values[1].zero);
    let powers = Scheme { powers_of_two: true, ..scheme };
    assert_eq!(grids.learned(&model, &whole, powers, &steps).values[1].step, 0.25);

    // Rounded once more they are the same, and a tap is a multiple of the step that was learned.
    model.weights["conv.0.weight"].floats_mut().unwrap()[27] = 0.3;
    let once = learned.rounded(model, &whole);
    assert_eq!(once.weights["conv.0.weight"].floats().unwrap()[27], 0.25);
    assert_eq!(learned.rounded(once.clone(), &whole), once);
}
