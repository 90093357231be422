//! A supernet's mixtures, gradients, pruned candidates and state, on small spaces.

use nas_ir::{Checked, Shape, Space, Task};
use nas_search::shared::{Adam, Mixing};
use tch::{Device, Kind, Tensor, no_grad};

use super::build::{Conv, Maker, UNITS, assignment, checked, network, op, squeeze};
use super::loss;
use super::sgd;
use crate::choices::Choices;
use crate::error::{Phase, TorchError};
use crate::forecast::Fit;
use crate::layout::values;
use crate::mixing::Mix;
use crate::mixture::{Mixture, Settings, logits_gradient};
use crate::network::TorchNetwork;
use crate::passes::TrainBatch;
use crate::program::{InstructionKind, Program};
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};
use crate::training_loss::TrainingLoss;

pub(crate) fn settings(mixing: Mixing) -> Settings {
    let adam = Adam { beta1: 0.9, beta2: 0.999, decay: 1e-3 };
    let (training, clip) = (sgd(0.9, 1e-4), Some(5.0));
    Settings { mixing, adam, training, clip, seed: 3, device: Device::Cpu, fuses: true }
}

/// Two layers, the first without and the second with a residual; 4 and 3 candidates.
fn small() -> Checked<Space> {
    squeeze(3, Shape::from([3, 16, 16]), &[(8, 2), (8, 1)], &[UNITS[0], UNITS[5], UNITS[8]])
}

fn mixture(mixing: Mixing) -> Mixture {
    let mixture = Mixture::new(&small(), settings(mixing)).unwrap();
    mixture.parameters.require_gradients(true).unwrap();
    mixture
}

struct Pictures {
    images: Tensor,
    targets: DeviceTargets,
}

const TASK: Task = Task::Segmentation { classes: 3, ignore: 255 };

fn pictures() -> Pictures {
    tch::manual_seed(5);
    let options = (Kind::Float, Device::Cpu);
    let images = Tensor::randn([4, 3, 16, 16], options);
    let values = Tensor::randint(3, [4, 16, 16], (Kind::Int64, Device::Cpu));
    Pictures { images, targets: DeviceTargets { values, criterion: Criterion::of(TASK) } }
}

fn batch(pictures: &Pictures, step: usize) -> TrainBatch<'_> {
    let Pictures { images, targets } = pictures;
    TrainBatch {
        inputs: std::slice::from_ref(images),
        targets,
        blend: None,
        taught: None,
        loss: &TrainingLoss::PLAIN,
        temperature: 0.7,
        rate: 0.05,
        drop_path: 1.0,
        epoch: 1,
        step,
        draws: step,
        of: 1,
        seed: 3,
    }
}

fn free(p: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
    (0.0, p.iter().map(|row| vec![0.0; row.len()]).collect())
}

/// A cost that is not linear in the probabilities, as nested decisions make it.
fn nested(p: &[Vec<f64>]) -> f64 {
    let linear: f64 = p[0].iter().zip([5.0, 1.0, 3.0, 0.5]).map(|(p, c)| p * c).sum();
    linear + 7.0 * p[0][2] * p[1][1] + 2.0 * p[1][3]
}

fn nested_gradient(p: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (a, b) = (p[0][2], p[1][1]);
    vec![vec![5.0, 1.0, 3.0 + 7.0 * b, 0.5], vec![0.0, 7.0 * a, 0.0, 2.0]]
}

fn adam() -> Adam {
    Adam { beta1: 0.0, beta2: 0.0, decay: 0.0 }
}

#[test]
fn the_gradient_of_the_expected_cost_is_exact() {
    let mut choices = Choices::new(&small());
    // Adam without memory steps by the sign of the gradient: it spreads the logits.
    choices.step(&[0.3, -1.0, 2.0, 0.5, 1.0, 0.0, -0.2, 0.4], 0.4, &adam());
    choices.prune(0, 1);
    let gradient = choices.through_softmax(&nested_gradient(&choices.probabilities()));
    let logits: Vec<f64> = choices.logits().into_iter().map(f64::from).collect();
    let cost = |logits: &[f64]| {
        let softmax = |logits: &[f64], pruned: Option<usize>| {
            let e = |(i, v): (usize, &f64)| if Some(i) == pruned { 0.0 } else { v.exp() };
            let each: Vec<f64> = logits.iter().enumerate().map(e).collect();
            let sum: f64 = each.iter().sum();
            each.into_iter().map(|e| e / sum).collect::<Vec<f64>>()
        };
        nested(&[softmax(&logits[..4], Some(1)), softmax(&logits[4..], None)])
    };
    for i in 0..logits.len() {
        let moved = |by: f64| {
            let mut logits = logits.clone();
            logits[i] += by;
            cost(&logits)
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((gradient[i] - difference).abs() < 1e-7, "{i}: {} {difference}", gradient[i]);
    }
}

/// The straight-through gradient of a hard choice: `dL/dw_k` for the sampled k, through softmax.
#[test]
fn hard_choices_carry_the_gradient_of_what_ran() {
    let pictures = pictures();
    let batch = batch(&pictures, 0);
    let mut mixture = Mixture::new(&small(), settings(Mixing::Hard)).unwrap();
    for candidate in 0..3 {
        mixture.choices.prune(1, candidate);
    }
    let logits = mixture.logits().unwrap().set_requires_grad(true);
    let mixes = mixture.draw(&batch, true, &logits).unwrap();
    let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
    let evaluation = mixture.evaluation(&schedule, &mixes, Statistics::Batch);
    let (value, _) = loss(&evaluation, &batch, crate::Phase::Choices).unwrap();
    let gradient = logits_gradient(&value, &logits).unwrap();
    // The gradient through a softmax of all candidates sums to 0 and has one other sign.
    let first: f64 = gradient[..4].iter().sum();
    assert!(first.abs() < 1e-6, "{gradient:?}");
    assert_eq!(gradient[4..], [0.0; 4]);
    let Mix::One { candidate, factor: Some(factor) } = &mixes[0] else { panic!("not hard") };
    assert!((values(factor).unwrap()[0] - 1.0).abs() < 1e-6);
    for (i, g) in gradient[..4].iter().enumerate() {
        let opposite = g.signum() != gradient[*candidate].signum();
        assert_eq!(i != *candidate, opposite, "{gradient:?}");
    }
}

/// A batch of the same two pictures twice has in two parts the statistics that it has as a whole, and so the same gradients: of
/// the choices, of both at once for a step ahead, and of the weights.
#[test]
fn a_batch_in_parts_has_the_gradients_of_its_pictures() {
    let Pictures { images, targets } = pictures();
    let twice = |of: &Tensor| Tensor::cat(&[of.narrow(0, 0, 2), of.narrow(0, 0, 2)], 0);
    let targets = DeviceTargets { values: twice(&targets.values), ..targets };
    let pictures = Pictures { images: twice(&images), targets };
    let batch = batch(&pictures, 0);
    let of = |parts| {
        let fit = Fit { layers: 0, parts };
        let mut mixture = mixture(Mixing::Softmax).fitting(fit).unwrap();
        let here = no_grad(|| mixture.parameters.flat().detach_copy());
        let (ahead, by_choices) = mixture.unrolled_gradient(&batch, &batch, &here).unwrap();
        no_grad(|| mixture.parameters.flat().shallow_clone().copy_(&here));
        let (value, _) = mixture.choice_step(&small(), &batch, 0.0, &free).unwrap();
        let loss = mixture.weight_step(&batch).unwrap();
        let logits = mixture.choices.logits().into_iter().map(f64::from);
        let weights = values(mixture.parameters.flat()).unwrap();
        let numbers = [ahead, value, loss].into_iter().chain(by_choices).chain(logits);
        numbers.chain(weights.into_iter().map(f64::from)).collect::<Vec<f64>>()
    };
    for (found, wanted) in of(2).iter().zip(of(1)) {
        assert!((found - wanted).abs() < 1e-3 * wanted.abs() + 1e-4, "{found} for {wanted}");
    }
}

/// The operators that are evaluated, by their paths.
fn evaluated(program: &Program, schedule: &Schedule) -> Vec<String> {
    let needed = schedule.needed(program);
    let ops = needed.filter(|needed| matches!(needed.kind, InstructionKind::Op(_)));
    ops.map(|op| op.node.clone()).collect()
}

#[test]
fn hard_mode_runs_one_candidate_of_each_decision() {
    let pictures = pictures();
    let mixture = mixture(Mixing::Hard);
    let mut seen = [false; 4];
    for step in 0..40 {
        let mixes =
            mixture.draw(&batch(&pictures, step), false, &mixture.logits().unwrap()).unwrap();
        let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
        let names = evaluated(&mixture.program, &schedule);
        for (layer, mix) in mixes.iter().enumerate() {
            let chosen = mix.candidates();
            assert_eq!(chosen.len(), 1);
            let of_layer = names.iter().filter(|n| n.starts_with(&format!("unit.{layer}/op=")));
            let prefix = if chosen[0] == 3 { "skip".into() } else { format!("c{}", chosen[0]) };
            let prefix = format!("unit.{layer}/op={prefix}");
            assert!(of_layer.clone().all(|name| name.starts_with(&prefix)), "{names:?}");
            // The residual layer's skip is a zero: one operator that makes no tensor.
            let expected = match (layer, chosen[0]) {
                (1, 3) => 1,
                (_, 3) => 3,
                _ => 8,
            };
            assert_eq!(of_layer.count(), expected, "{names:?}");
            seen[chosen[0]] = true;
        }
    }
    assert_eq!(seen, [true; 4], "some candidate is never drawn");
}

#[test]
fn a_chosen_network_is_that_part_of_the_supernet() {
    let (space, pictures) = (small(), pictures());
    let mut mixture = mixture(Mixing::Soft);
    for step in 0..3 {
        mixture.weight_step(&batch(&pictures, step)).unwrap();
    }
    for choice in [[0, 1], [2, 3], [3, 0]] {
        let mut mixture = {
            let mut copy = Mixture::new(&space, settings(Mixing::Soft)).unwrap();
            copy.restore(&mixture.state().unwrap()).unwrap();
            copy
        };
        for (decision, &chosen) in choice.iter().enumerate() {
            for candidate in (0..4).filter(|c| *c != chosen) {
                mixture.choices.prune(decision, candidate);
            }
        }
        let mixes = mixture.draw(&batch(&pictures, 0), false, &mixture.logits().unwrap()).unwrap();
        let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
        let evaluation = mixture.evaluation(&schedule, &mixes, Statistics::Running);
        let whole = no_grad(|| evaluation.run(&[pictures.images.shallow_clone()])).unwrap();
        let assignment = assignment(&space, &choice);
        let part = mixture.inherit(&space, &assignment, false).unwrap();
        let alone = part.forward(&[pictures.images.shallow_clone()], false).unwrap();
        assert_eq!(values(&whole[0]).unwrap(), values(&alone[0]).unwrap());
        // Own statistics do not touch those of the supernet.
        let before = mixture.state().unwrap();
        let own = mixture.inherit(&space, &assignment, true).unwrap();
        let average = own.evaluation(Statistics::Average { seen: 0 });
        no_grad(|| average.run(&[pictures.images.shallow_clone()])).unwrap();
        assert_eq!(before, mixture.state().unwrap());
    }
}

#[test]
fn a_pruned_candidate_is_gone_and_changes_nothing_else() {
    let pictures = pictures();
    let run = |poison: bool| {
        let mut mixture = mixture(Mixing::Soft);
        mixture.choices.prune(0, 2);
        mixture.choices.prune(1, 0);
        if poison {
            let mut state = mixture.state().unwrap();
            for (name, tensor) in &mut state {
                if name.starts_with("unit.0/op=c2") || name.starts_with("unit.1/op=c0") {
                    tensor.floats_mut().unwrap().fill(f32::NAN);
                }
            }
            mixture.restore(&state).unwrap();
        }
        for step in 0..2 {
            mixture.weight_step(&batch(&pictures, step)).unwrap();
            mixture.choice_step(&small(), &batch(&pictures, step), 0.1, &free).unwrap();
        }
        mixture
    };
    let (clean, poisoned) = (run(false), run(true));
    let probabilities = clean.choices.probabilities();
    assert_eq!(probabilities, poisoned.choices.probabilities());
    assert_eq!(probabilities[0][2], 0.0);
    for row in &probabilities {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let (clean, poisoned) = (clean.state().unwrap(), poisoned.state().unwrap());
    let fresh = mixture(Mixing::Soft).state().unwrap();
    for (name, tensor) in &clean {
        if name.starts_with("unit.0/op=c2") || name.starts_with("unit.1/op=c0") {
            assert_eq!(tensor, &fresh[name], "{name} was trained");
        } else if !name.contains("unit.0/op=c2") && !name.contains("unit.1/op=c0") {
            assert_eq!(tensor, &poisoned[name], "{name}");
        }
    }
    let mut last = mixture(Mixing::Soft).choices;
    (0..4).for_each(|candidate| last.prune(0, candidate));
    assert_eq!(last.probabilities()[0], [0.0, 0.0, 0.0, 1.0]);
}

#[test]
#[should_panic(expected = "decision 7 has no logit of candidate 0")]
fn a_decision_that_is_not_there_is_not_pruned() {
    mixture(Mixing::Soft).choices.prune(7, 0);
}

#[test]
fn a_restored_state_goes_on_bit_by_bit() {
    let pictures = pictures();
    for mixing in [Mixing::Soft, Mixing::Hard] {
        let mut one = mixture(mixing);
        let steps = |mixture: &mut Mixture, from: usize| {
            for step in from..from + 2 {
                mixture.parameters.require_gradients(true).unwrap();
                mixture.weight_step(&batch(&pictures, step)).unwrap();
                mixture.parameters.require_gradients(false).unwrap();
                let expected = |p: &[Vec<f64>]| (nested(p), nested_gradient(p));
                mixture.choice_step(&small(), &batch(&pictures, step), 0.1, &expected).unwrap();
            }
        };
        steps(&mut one, 0);
        one.choices.prune(0, 1);
        let state = one.state().unwrap();
        steps(&mut one, 2);
        let mut other = Settings { seed: 3, ..settings(mixing) };
        other.clip = Some(5.0);
        let mut two = Mixture::new(&small(), other).unwrap();
        two.restore(&state).unwrap();
        steps(&mut two, 2);
        assert_eq!(one.state().unwrap(), two.state().unwrap());
        assert_ne!(one.state().unwrap(), state);
    }
}

#[test]
fn a_state_of_another_supernet_is_refused() {
    let mut mixture = mixture(Mixing::Soft);
    let mut state = mixture.state().unwrap();
    let before = state.clone();
    state.shift_remove("unit.1/op=c1/depth/conv.weight");
    let error = mixture.restore(&state).unwrap_err();
    let TorchError::OtherState { name, found: None, .. } = error else { panic!("{error}") };
    assert_eq!(name, "unit.1/op=c1/depth/conv.weight");
    assert_eq!(mixture.state().unwrap(), before);
}

#[test]
fn a_loss_that_is_no_number_names_the_first_node() {
    let pictures = pictures();
    let mut mixture = mixture(Mixing::Soft);
    let mut state = mixture.state().unwrap();
    state["unit.1/op=c1/depth/conv.weight"].floats_mut().unwrap()[3] = f32::INFINITY;
    mixture.restore(&state).unwrap();
    let error = mixture.weight_step(&batch(&pictures, 7)).unwrap_err();
    let TorchError::NotFinite { epoch: 1, step: 7, node, .. } = &error else { panic!("{error}") };
    assert_eq!(node.as_deref(), Some("unit.1/op=c1/depth/conv"));
    let told = error.to_string();
    assert!(told.contains("step 7 of epoch 1, while the weights of the supernet"), "{told}");
}

#[test]
fn weights_start_from_seed_and_name_alone() {
    let first = mixture(Mixing::Soft).state().unwrap();
    let space = squeeze(3, Shape::from([3, 16, 16]), &[(8, 2)], &[UNITS[0]]);
    let fewer = Mixture::new(&space, settings(Mixing::Hard)).unwrap().state().unwrap();
    for name in ["stem/conv.weight", "unit.0/op=c0/project/conv.weight"] {
        assert_eq!(first[name], fewer[name]);
    }
    assert_ne!(
        first["unit.0/op=c0/project/conv.weight"].elements,
        first["unit.0/op=c1/expand/conv.weight"].elements
    );
    let (mut maker, x) = Maker::new(3, Shape::from([64, 4, 4]));
    let wide = Conv { kernel: 3, groups: 2, ..Conv::pointwise() };
    let y = maker.conv("wide", x, 128, wide);
    maker.output(y);
    maker.space.task = None;
    let network = network(&checked(maker.space), &[]);
    let weights = TorchNetwork::new(&network, 9, Device::Cpu).unwrap().weights().unwrap();
    let data = weights["wide.weight"].floats().unwrap();
    let mean = data.iter().sum::<f32>() / data.len() as f32;
    let variance = data.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / data.len() as f32;
    let expected = 2.0 / (9.0 * 64.0);
    assert!(mean.abs() < 1e-3 && (variance / expected - 1.0).abs() < 0.05, "{mean} {variance}");
}

/// A decision may govern several selects, and its candidates may hold decisions.
#[test]
fn decisions_nest_and_are_shared() {
    let (mut maker, x) = Maker::new(3, Shape::from([3, 8, 8]));
    let outer = maker.decision("outer", 2);
    let inner = maker.decision("inner", 2);
    let a = maker.conv("a", x, 3, Conv::pointwise());
    let b = maker.conv("b", x, 3, Conv::pointwise());
    let nested = maker.select(inner, &[a, b]);
    let zero = maker.op("zero", op("zero", &[]), &[x]);
    let once = maker.select(outer, &[nested, zero]);
    let sum = maker.op("sum", op("add", &[]), &[once, x]);
    let c = maker.conv("c", sum, 3, Conv::pointwise());
    let twice = maker.select(outer, &[c, sum]);
    maker.output(twice);
    let space = checked(maker.space);
    let mut mixture = Mixture::new(&space, settings(Mixing::Soft)).unwrap();
    let pictures = Pictures {
        images: pictures().images,
        targets: DeviceTargets {
            values: Tensor::zeros([4, 16, 16], (Kind::Int64, Device::Cpu)),
            criterion: Criterion::of(TASK),
        },
    };
    mixture.parameters.require_gradients(true).unwrap();
    let first = mixture.weight_step(&batch(&pictures, 0)).unwrap();
    assert!(first.is_finite());
    mixture.choices.prune(0, 0);
    let mixes = mixture.draw(&batch(&pictures, 0), false, &mixture.logits().unwrap()).unwrap();
    let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
    // With the inner select unreachable, `x` is the result; nothing is computed.
    assert_eq!(evaluated(&mixture.program, &schedule), ["zero", "sum"]);
    let evaluation = mixture.evaluation(&schedule, &mixes, Statistics::Learn);
    let output = evaluation.run(&[pictures.images.shallow_clone()]).unwrap();
    assert_eq!(values(&output[0]).unwrap(), values(&pictures.images).unwrap());
    // A step without any parameter to move is no error.
    mixture.weight_step(&batch(&pictures, 1)).unwrap();
    mixture.choice_step(&space, &batch(&pictures, 1), 0.0, &free).unwrap();
}

/// What a dropout sets to zero depends on the step and the seed, and scoring has none.
#[test]
fn each_step_has_dropouts_of_its_own() {
    let (mut maker, image) = Maker::new(3, Shape::from([3, 16, 16]));
    let dropout = maker.op("dropout", op("dropout", &[]), &[image]);
    maker.output(dropout);
    let network = network(&checked(maker.space), &[]);
    let network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
    let pictures = pictures();
    let at = |batch: &TrainBatch<'_>| {
        loss(&network.evaluation(Statistics::Learn), batch, Phase::Network).unwrap().1
    };
    let first = at(&batch(&pictures, 0));
    assert_eq!(first, at(&batch(&pictures, 0)));
    assert_ne!(first, at(&batch(&pictures, 1)));
    assert_ne!(first, at(&TrainBatch { seed: 4, ..batch(&pictures, 0) }));
    let scored = network.forward(&[pictures.images.shallow_clone()], false).unwrap();
    assert_eq!(values(&scored[0]).unwrap(), values(&pictures.images).unwrap());
}

/// The second derivatives of DARTS (Liu et al. 2019, equation 7): the gradient is that of the loss of the choices
/// behind a step of the weights, which differences of it show.
#[test]
fn choices_look_one_step_ahead() {
    let (own, others) = (pictures(), pictures());
    let images = others.images.flip([0_i64]) * 0.7 + 0.2;
    let others = Pictures { images, ..others };
    let rate = 0.5;
    let (weights, choices) = (TrainBatch { rate, ..batch(&own, 0) }, batch(&others, 0));
    let mut mixture = Mixture::new(&small(), settings(Mixing::Softmax)).unwrap();
    mixture.parameters.require_gradients(true).unwrap();
    let here = no_grad(|| mixture.parameters.flat().detach_copy());
    let back =
        |mixture: &Mixture| no_grad(|| mixture.parameters.flat().shallow_clone().copy_(&here));
    let ahead = |mixture: &Mixture| {
        let (loss, gradient) = mixture.unrolled_gradient(&weights, &choices, &here).unwrap();
        back(mixture);
        (loss, gradient)
    };
    let (_, gradient) = ahead(&mixture);
    let count = gradient.len();
    let distance = 0.02;
    let mut moved = |by: f64, logit: usize| {
        let mut steps = vec![0.0; count];
        steps[logit] = -by;
        // Adam without memory moves by the sign of the gradient.
        mixture.choices.step(&steps, distance, &adam());
        let (loss, _) = ahead(&mixture);
        steps[logit] = by;
        mixture.choices.step(&steps, distance, &adam());
        loss
    };
    let differences: Vec<f64> =
        (0..count).map(|i| (moved(1.0, i) - moved(-1.0, i)) / (2.0 * distance)).collect();
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let cosine = dot(&gradient, &differences)
        / (dot(&gradient, &gradient) * dot(&differences, &differences)).sqrt();
    assert!(cosine > 0.99, "{cosine}: {gradient:?} {differences:?}");
    // Without the second derivatives it is another one.
    let first = TrainBatch { rate: 0.0, ..batch(&own, 0) };
    let (_, plain) = mixture.unrolled_gradient(&first, &choices, &here).unwrap();
    let apart = dot(&gradient, &plain) / (dot(&gradient, &gradient) * dot(&plain, &plain)).sqrt();
    assert!(apart < cosine, "{apart} {cosine}");
}
