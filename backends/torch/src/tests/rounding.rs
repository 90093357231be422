//! What learns to compute with integers: values to the last bit those that are exported, and gradients of steps.

use std::collections::BTreeMap;

use nas_cases::networks::with_weights;
use nas_cases::{cases, reference};
use nas_ir::grid::kernel_step_name;
use nas_ir::{Grid, Model, Network, Precision, Tensor as Plain};
use nas_passes::model::for_export;
use nas_quantise::{Grids, Method, Plan, Scheme, calibrated};
use tch::{Device, Kind, Tensor, no_grad};

use super::build::squeeze;
use crate::layout::plain_map;
use crate::layout::values;
use crate::network::{TorchNetwork, run};
use crate::rounding::{bias, kernel, kernel_to_levels, to_half, to_learned_grid, to_levels};

/// A tensor that requires a gradient.
fn leaf(numbers: &[f32], sizes: &[i64]) -> Tensor {
    Tensor::from_slice(numbers).view(sizes).set_requires_grad(true)
}

/// The gradients of the sum of a tensor, each number times its weight.
fn gradients(of: &Tensor, weights: &[f32], leaves: &[&Tensor]) -> Vec<Vec<f32>> {
    let loss = (of.flatten(0, -1) * Tensor::from_slice(weights)).sum(Kind::Float);
    let gradients = Tensor::run_backward(&[&loss], leaves, false, false);
    gradients.iter().map(|gradient| values(gradient).unwrap()).collect()
}

fn near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    assert!(apart.fold(0.0, f32::max) < 1e-5, "{found:?}, not {expected:?}");
}

/// Levels of steps of 0.5 with 0 at 2 are those from -2 to 253.
#[test]
fn the_step_of_values_learns_by_how_they_are_rounded_and_by_the_ends() {
    let numbers = [-3.0, -0.6, 0.1, 0.4, 0.76, 200.0];
    let weights = [1.0, -2.0, 0.5, 3.0, 1.5, 0.25];
    let (x, step) = (leaf(&numbers, &[2, 3]), leaf(&[0.5], &[1]));
    let rounded = to_learned_grid(&x, &step, 2, false).unwrap();
    let grid = Grid { step: 0.5, zero: 2 };
    let expected: Vec<f32> = numbers.iter().map(|&x| grid.round(f64::from(x)) as f32).collect();
    assert_eq!(values(&rounded).unwrap(), expected);
    let found = gradients(&rounded, &weights, &[&x, &step]);
    // Beyond the ends nothing goes through.
    assert_eq!(found[0], [0.0, -2.0, 0.5, 3.0, 1.5, 0.0]);
    let levels = [-2.0, -1.0 + 1.2, 0.0 - 0.2, 1.0 - 0.8, 2.0 - 1.52, 253.0];
    let sum: f32 = levels.iter().zip(weights).map(|(level, weight)| level * weight).sum();
    // Three numbers of each of two images, and 253 is the largest level.
    near(&found[1], &[sum / (3.0_f32 * 253.0).sqrt()]);
}

/// Where all numbers are beyond the ends the value is the end times the step, of which differences are exact.
#[test]
fn the_gradient_of_a_step_is_its_difference_quotient_beyond_the_ends() {
    let numbers = [-9.0, 8.0, 7.0, -6.0];
    let value = |step: f32| {
        let rounded = to_learned_grid(&leaf(&numbers, &[1, 4]), &leaf(&[step], &[1]), 128, false);
        values(&rounded.unwrap()).unwrap().iter().map(|x| x * x).sum::<f32>()
    };
    let step = leaf(&[0.01], &[1]);
    let rounded = to_learned_grid(&leaf(&numbers, &[1, 4]), &step, 128, false).unwrap();
    let twice: Vec<f32> = values(&rounded).unwrap().iter().map(|x| 2.0 * x).collect();
    let found = gradients(&rounded, &twice, &[&step]);
    let quotient = (value(0.0101) - value(0.0099)) / 0.0002;
    let scaled = quotient / (4.0_f32 * 128.0).sqrt();
    assert!((found[0][0] - scaled).abs() < 1e-3 * scaled.abs(), "{found:?}, not {scaled}");
}

#[test]
fn steps_of_kernels_learn_by_channel() {
    let taps = [0.3, -0.1, 0.76, 0.2, 90.0, -0.26];
    let weights = [1.0, 2.0, -1.0, 0.5, 3.0, 1.0];
    let (w, steps) = (leaf(&taps, &[2, 3, 1, 1]), leaf(&[0.25, 0.5], &[2]));
    let rounded = kernel(&w, &steps, Some(0), false).unwrap();
    assert_eq!(values(&rounded).unwrap(), [0.25, 0.0, 0.75, 0.0, 63.5, -0.5]);
    let found = gradients(&rounded, &weights, &[&w, &steps]);
    assert_eq!(found[0], [1.0, 2.0, -1.0, 0.5, 0.0, 1.0]);
    let first = (1.0 - 1.2) + 2.0 * 0.4 - (3.0 - 3.04);
    let second = 0.5 * -0.4 + 3.0 * 127.0 + (-1.0 + 0.52);
    near(&found[1], &[first, second].map(|sum: f32| sum / (3.0_f32 * 127.0).sqrt()));

    // Along the other axis, and one for all.
    let steps = leaf(&[0.25, 0.5, 1.0], &[3]);
    let rounded = kernel(&w, &steps, Some(1), false).unwrap();
    assert_eq!(values(&rounded).unwrap(), [0.25, 0.0, 1.0, 0.25, 63.5, 0.0]);
    let one = kernel(&w, &leaf(&[0.25], &[1]), None, false).unwrap();
    assert_eq!(values(&one).unwrap(), [0.25, 0.0, 0.75, 0.25, 31.75, -0.25]);
}

/// The first image has levels of 2 / 255 from -0.5 on, the second of 1: the 0 of both is a level.
#[test]
fn each_image_has_levels_of_its_own() {
    let numbers = [-0.5, 0.0, 1.5, 0.3, 255.0, 3.4, 0.0, 100.6];
    let x = leaf(&numbers, &[2, 4]);
    let rounded = to_levels(&x).unwrap();
    let step = 2.0 / 255.0;
    let first = [-64.0, 0.0, 191.0, 38.0].map(|level: f32| level * step);
    near(&values(&rounded).unwrap(), &[&first[..], &[255.0, 3.0, 0.0, 101.0]].concat());
    let alone = to_levels(&leaf(&numbers[..4], &[1, 4])).unwrap();
    assert_eq!(values(&alone).unwrap(), values(&rounded.narrow(0, 0, 1)).unwrap());
    assert_eq!(gradients(&rounded, &[1.0; 8], &[&x]), [[1.0; 8]]);
    let zeros = to_levels(&leaf(&[0.0; 4], &[1, 4])).unwrap();
    assert_eq!(values(&zeros).unwrap(), [0.0; 4]);
}

#[test]
fn kernels_have_127_levels_on_each_side_of_0() {
    let taps = [127.0, -3.4, 0.6, 0.127, -0.0014, 0.0];
    let w = leaf(&taps, &[2, 3, 1, 1]);
    let rounded = kernel_to_levels(&w, Some(0)).unwrap();
    near(&values(&rounded).unwrap(), &[127.0, -3.0, 1.0, 0.127, -0.001, 0.0]);
    assert_eq!(gradients(&rounded, &[2.0; 6], &[&w]), [[2.0; 6]]);
    let whole = kernel_to_levels(&w, None).unwrap();
    near(&values(&whole).unwrap(), &[127.0, -3.0, 1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn powers_of_two_stay_such_and_let_gradients_through() {
    let (w, steps) = (leaf(&[0.3, 0.3], &[2, 1]), leaf(&[0.34, 0.36], &[2]));
    let rounded = kernel(&w, &steps, Some(0), true).unwrap();
    assert_eq!(values(&rounded).unwrap(), [0.25, 0.5]);
    let found = gradients(&rounded, &[1.0, 1.0], &[&steps]);
    near(&found[0], &[1.0 - 1.2, 1.0 - 0.6].map(|sum: f32| sum / 127.0_f32.sqrt()));
}

#[test]
fn biases_and_halves_let_gradients_through_and_move_no_step() {
    let (x, steps, operand) =
        (leaf(&[0.6, -0.1], &[2]), leaf(&[0.5, 0.25], &[2]), leaf(&[0.5], &[1]));
    let rounded = bias(&x, &steps, &operand, false).unwrap();
    assert_eq!(values(&rounded).unwrap(), [0.5, -0.125]);
    assert_eq!(gradients(&rounded, &[2.0, 3.0], &[&x]), [[2.0, 3.0]]);
    let x = leaf(&[0.1, 1000.7], &[2]);
    let rounded = to_half(&x).unwrap();
    assert_eq!(values(&rounded).unwrap(), [0.1_f32, 1000.7].map(nas_ir::grid::to_half));
    assert_eq!(gradients(&rounded, &[2.0, 3.0], &[&x]), [[2.0, 3.0]]);
}

/// A network as one of integers that is not rounded yet, with what that learns.
pub(crate) struct Learning {
    pub(crate) model: Model,
    pub(crate) plan: Plan,
    pub(crate) grids: Grids,
    pub(crate) scheme: Scheme,
}

impl Learning {
    pub(crate) fn of(
        network: &Network,
        scheme: Scheme,
        floats: impl Fn(&Network) -> BTreeMap<usize, Precision>,
    ) -> Self {
        let model = for_export(with_weights(network)).unwrap();
        let plan = Plan::of(&model.network, &floats(&model.network));
        let batches: Vec<Vec<Plain>> = (1..=1).map(|seed| inputs(&model, seed)).collect();
        let mut run = |model: &Model, inputs: &[Plain]| Ok::<_, ()>(reference::run(model, inputs));
        let grids =
            calibrated(&model, &plan, (Method::MinMax, scheme), &batches, &mut run).unwrap();
        let grids = Grids::of(scheme, &model, &plan, grids);
        Self { model, plan, grids, scheme }
    }

    /// What trains it, at its first weights.
    pub(crate) fn network(&self) -> TorchNetwork {
        let Self { model, plan, grids, scheme } = self;
        let placed = grids.placed(model.clone(), plan);
        let powers = scheme.powers_of_two;
        let mut network =
            TorchNetwork::learning(&placed.network, None, powers, Device::Cpu).unwrap();
        let mut weights = placed.weights;
        weights.extend(grids.steps(model, plan));
        network.load(&weights).unwrap();
        network
    }

    /// What is exported of what it has learned.
    fn exported(&self, network: &TorchNetwork) -> Model {
        let Self { model, plan, grids, scheme } = self;
        let learned = network.weights().unwrap();
        let mut own = model.clone();
        for (name, tensor) in &mut own.weights {
            *tensor = learned[name].clone();
        }
        grids.learned(model, plan, *scheme, &learned).rounded(own, plan)
    }
}

/// Inputs of this seed, from -1 to 1.
fn inputs(model: &Model, seed: u32) -> Vec<Plain> {
    let ports = model.network.inputs.iter().map(|port| model.network.port_shape(port));
    let number = |i: u32| ((i * 37 + seed * 53 + 11) % 101) as f32 / 50.0 - 1.0;
    let of = |shape: nas_ir::Shape| {
        let numbers = (0..shape.elements() as u32).map(number).collect();
        Plain::of_floats(shape.batched(1), numbers)
    };
    ports.map(of).collect()
}

fn answers(network: &TorchNetwork, given: &[Plain]) -> Vec<Vec<f32>> {
    let slices: Vec<&[f32]> = given.iter().map(|input| input.floats().unwrap()).collect();
    let outputs = network.forward(&network.inputs(&slices, 1).unwrap(), false).unwrap();
    outputs.iter().map(|output| values(&plain_map(output).unwrap()).unwrap()).collect()
}

/// Of every operator, before anything is learned and after steps and weights have moved, with some layers of 16-bit floats.
#[test]
fn what_learns_is_what_is_exported_to_the_last_bit() {
    let schemes = [Scheme::default(), Scheme { symmetric: true, powers_of_two: true }];
    let mut rounded = 0;
    for (name, network) in cases::all() {
        for (scheme, precision) in schemes.into_iter().zip([Precision::Int8, Precision::Fp16]) {
            let last = |network: &Network| BTreeMap::from([(network.nodes.len() - 1, precision)]);
            let learning = Learning::of(&network, scheme, last);
            let given = inputs(&learning.model, 5);
            let same = |network: &TorchNetwork| {
                let exported = learning.exported(network);
                assert_eq!(exported.verify(), Ok(()), "{name}");
                let expected: Vec<Vec<f32>> = run(&exported, &given)
                    .unwrap()
                    .iter()
                    .map(|output| output.floats().unwrap().to_vec())
                    .collect();
                assert_eq!(answers(network, &given), expected, "{name}, {scheme:?}");
            };
            let network = learning.network();
            same(&network);
            rounded += learning.plan.count;
            no_grad(|| {
                let factor = Tensor::arange(
                    network.parameters.flat().numel() as i64,
                    (Kind::Float, Device::Cpu),
                );
                let factor = (factor * 0.7).sin() * 0.4 + 1.0;
                let _ = network.parameters.flat().shallow_clone().g_mul_(&factor);
            });
            same(&network);
        }
    }
    assert!(rounded > 100, "{rounded}");
}

#[test]
fn steps_are_of_groups_and_channels_and_all_of_it_learns() {
    let space = squeeze(7, nas_ir::Shape::from([3, 16, 16]), &[(16, 2)], &[super::build::UNITS[2]]);
    let network = nas_passes::specialise(&space, &space.first_assignment());
    let learning = Learning::of(&network, Scheme::default(), |_| BTreeMap::new());
    let network = learning.network();
    let names: Vec<String> =
        network.parameters.specs().map(|(_, spec)| spec.name.clone()).collect();
    let steps = names.iter().filter(|name| name.ends_with(".step")).count();
    assert_eq!(steps, learning.plan.count + learning.plan.kernels.len());
    let first = &learning.model.network.nodes[learning.plan.kernels[0]].name;
    assert!(names.contains(&kernel_step_name(&format!("{first}.weight"))), "{names:?}");
    network.parameters.require_gradients(true).unwrap();
    let given = inputs(&learning.model, 5);
    let slices: Vec<&[f32]> = given.iter().map(|input| input.floats().unwrap()).collect();
    let outputs = network
        .evaluation(crate::statistics::Statistics::Running)
        .run(&network.inputs(&slices, 1).unwrap())
        .unwrap();
    let loss = outputs[0].square().sum(Kind::Float);
    let read = network.schedule.parameters(&network.program);
    let all = network.parameters.all_trainable(read).unwrap();
    let leaves: Vec<&Tensor> = all.iter().map(|(_, tensor, _)| *tensor).collect();
    for (gradient, (id, ..)) in
        Tensor::run_backward(&[&loss], &leaves, false, false).iter().zip(&all)
    {
        let name = &network.parameters.spec(*id).unwrap().name;
        let moves = gradient.defined() && gradient.abs().max().double_value(&[]) > 0.0;
        assert!(moves, "{name} does not learn");
    }
}
