//! The optimisers against their formulas and against those of libtorch, step by step.

use nas_ir::recipe::{Optimizer as Rule, Training};
use nas_ir::{Shape, Weights};
use nas_search::shared::Adam;
use tch::nn::{self, OptimizerConfig};
use tch::{Device, Kind, Tensor};

use super::build::{Conv, Maker, checked, network};
use super::sgd;
use crate::choices::Choices;
use crate::network::TorchNetwork;
use crate::optimizer::{Optimizer, Turn};
use crate::patterns::Patterns;

/// A batch of a pass that makes a step of its own.
const ALONE: Turn = Turn { step: 0, of: 1, rate: 0.05 };

/// Outputs `a * x` and `b * x`, if there are two rows, with these weights.
fn made(rows: &[&[f32]]) -> TorchNetwork {
    let (mut maker, x) = Maker::new(1, Shape::from([1, 1, 1]));
    for (name, row) in ["a", "b"].into_iter().zip(rows) {
        let y = maker.conv(name, x, row.len() as u32, Conv::pointwise());
        maker.output(y);
    }
    maker.space.task = None;
    let network = network(&checked(maker.space), &[]);
    let mut network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
    let mut weights = network.weights().unwrap();
    for (tensor, values) in weights.values_mut().zip(rows) {
        tensor.floats_mut().unwrap().copy_from_slice(values);
    }
    network.load(&weights).unwrap();
    network.parameters.require_gradients(true).unwrap();
    network
}

/// Two outputs of one weight each.
fn pair() -> TorchNetwork {
    made(&[&[2.0], &[-1.0]])
}

fn weights(network: &TorchNetwork, name: &str) -> Vec<f32> {
    network.weights().unwrap()[name].floats().unwrap().to_vec()
}

/// The outputs for a picture of one.
fn outputs(network: &TorchNetwork) -> Vec<Tensor> {
    let x = Tensor::from_slice(&[1.0f32]).view([1, 1, 1, 1]);
    network.forward(&[x], true).unwrap()
}

fn descend(network: &TorchNetwork, optimizer: &mut Optimizer, loss: &Tensor, turn: Turn) {
    let read = network.schedule.parameters(&network.program);
    optimizer.learn(&network.parameters, read, loss, turn).unwrap();
}

/// Takes in a batch of which the gradient with respect to the weights of `a` is this, and there is none of `b`.
fn learn(network: &TorchNetwork, optimizer: &mut Optimizer, gradient: &[f32], turn: Turn) {
    let gradient = Tensor::from_slice(gradient).view([1, -1, 1, 1]);
    let loss = (&outputs(network)[0] * gradient).sum(Kind::Float);
    descend(network, optimizer, &loss, turn);
}

const FIRST: [f32; 3] = [0.5, -1.5, 2.0];
/// Gradients of some steps.
const GRADIENTS: [[f32; 3]; 4] =
    [[0.3, -0.02, 1.1], [-0.4, 0.5, 0.9], [0.0, 0.1, -2.0], [1.5, 0.2, 0.01]];

/// Other settings than the defaults, so that one that is not read is found.
fn training(optimizer: Rule) -> Training {
    let training = sgd(0.7, 0.03);
    Training { optimizer, beta1: 0.8, beta2: 0.95, smoothing: 0.9, epsilon: 1e-3, ..training }
}

fn near(found: &[f32], expected: &[f64]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 5e-6, "{found} {expected}");
    }
}

/// Compares the weights after each step with those of an optimiser of libtorch.
fn compare(optimizer: Rule, build: impl Fn(&nn::VarStore) -> nn::Optimizer) {
    let network = made(&[&FIRST]);
    let mut ours = Optimizer::new(&network.parameters, &training(optimizer), None).unwrap();
    let store = nn::VarStore::new(Device::Cpu);
    let theirs = store.root().var_copy("w", &Tensor::from_slice(&FIRST));
    let mut of_libtorch = build(&store);
    for gradient in GRADIENTS {
        learn(&network, &mut ours, &gradient, ALONE);
        let loss = (&theirs * Tensor::from_slice(&gradient)).sum(Kind::Float);
        of_libtorch.backward_step(&loss);
        let expected: Vec<f32> = Vec::try_from(theirs.detach()).unwrap();
        let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
        near(&weights(&network, "a.weight"), &expected);
    }
}

#[test]
fn optimisers_are_those_of_libtorch() {
    let Training { momentum, decay: wd, beta1, beta2, smoothing: alpha, epsilon: eps, .. } =
        training(Rule::Sgd);
    let rate = ALONE.rate;
    compare(Rule::Sgd, |store| {
        nn::Sgd { momentum, dampening: 0.0, wd, nesterov: false }.build(store, rate).unwrap()
    });
    compare(Rule::Adam, |store| {
        nn::Adam { beta1, beta2, wd, eps, amsgrad: false }.build(store, rate).unwrap()
    });
    compare(Rule::Adamw, |store| {
        nn::AdamW { beta1, beta2, wd, eps, amsgrad: false }.build(store, rate).unwrap()
    });
    compare(Rule::Rmsprop, |store| {
        nn::RmsProp { alpha, eps, wd, momentum, centered: false }.build(store, rate).unwrap()
    });
}

#[test]
fn lamb_is_that_of_its_paper() {
    let network = made(&[&FIRST]);
    let mut lamb = Optimizer::new(&network.parameters, &training(Rule::Lamb), None).unwrap();
    let (mut w, mut m, mut v) = (FIRST.map(f64::from), [0.0; 3], [0.0; 3]);
    let norm = |values: &[f64; 3]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (step, gradient) in (1..).zip(GRADIENTS) {
        learn(&network, &mut lamb, &gradient, ALONE);
        let mut u = [0.0; 3];
        for i in 0..3 {
            let g = f64::from(gradient[i]);
            m[i] = 0.8 * m[i] + 0.2 * g;
            v[i] = 0.95 * v[i] + 0.05 * g * g;
            let (m, v) = (m[i] / (1.0 - 0.8f64.powi(step)), v[i] / (1.0 - 0.95f64.powi(step)));
            u[i] = m / (v.sqrt() + 1e-3) + 0.03 * w[i];
        }
        let trust = norm(&w) / norm(&u);
        w.iter_mut().zip(u).for_each(|(w, u)| *w -= 0.05 * trust * u);
        near(&weights(&network, "a.weight"), &w);
    }
}

#[test]
fn what_did_not_run_stays_and_counts_its_own_steps() {
    for optimizer in [Rule::Sgd, Rule::Adamw, Rule::Rmsprop, Rule::Lamb] {
        let network = pair();
        let training = training(optimizer);
        let mut ours = Optimizer::new(&network.parameters, &training, None).unwrap();
        for _ in 0..3 {
            learn(&network, &mut ours, &[3.0], ALONE);
        }
        assert_eq!(weights(&network, "b.weight"), [-1.0], "{optimizer:?}");
        // The first step of `b` is that of a fresh optimiser.
        let fresh = pair();
        let mut other = Optimizer::new(&fresh.parameters, &training, None).unwrap();
        for (network, optimizer) in [(&network, &mut ours), (&fresh, &mut other)] {
            let loss = outputs(network)[1].sum(Kind::Float) * 0.3;
            descend(network, optimizer, &loss, ALONE);
        }
        let of_b = weights(&network, "b.weight");
        assert_eq!(of_b, weights(&fresh, "b.weight"), "{optimizer:?}");
        assert!(of_b[0] < -1.0);
    }
}

#[test]
fn an_optimiser_goes_on_from_its_state() {
    for optimizer in [Rule::Sgd, Rule::Adam, Rule::Adamw, Rule::Rmsprop, Rule::Lamb] {
        let training = Training { ema: 0.5, ..training(optimizer) };
        let all = |network: &TorchNetwork, optimizer: &Optimizer| {
            let mut all = network.weights().unwrap();
            optimizer.save(&network.parameters, &mut all).unwrap();
            all
        };
        let network = made(&[&FIRST]);
        let mut ours = Optimizer::new(&network.parameters, &training, None).unwrap();
        let mut state = Weights::new();
        for (step, gradient) in GRADIENTS.iter().enumerate() {
            learn(&network, &mut ours, gradient, ALONE);
            if step == 1 {
                state = all(&network, &ours);
            }
        }
        let mut later = made(&[&FIRST]);
        later.load(&state).unwrap();
        let mut restored = Optimizer::new(&later.parameters, &training, None).unwrap();
        restored.load(&later.parameters, &state).unwrap();
        GRADIENTS[2..].iter().for_each(|g| learn(&later, &mut restored, g, ALONE));
        assert_eq!(all(&network, &ours), all(&later, &restored), "{optimizer:?}");
        for missing in state.keys().filter(|name| name.starts_with("optimizer/")) {
            let mut state = state.clone();
            state.shift_remove(missing);
            assert!(restored.load(&later.parameters, &state).is_err(), "{missing}");
        }
    }
}

#[test]
fn batches_are_gathered_for_a_step() {
    let training = Training { accumulate: 3, ..training(Rule::Sgd) };
    let network = made(&[&FIRST]);
    let mut ours = Optimizer::new(&network.parameters, &training, None).unwrap();
    for (step, gradient) in GRADIENTS.iter().chain([&GRADIENTS[0]]).enumerate() {
        let before = weights(&network, "a.weight");
        learn(&network, &mut ours, gradient, Turn { step, of: 5, ..ALONE });
        let has_moved = before != weights(&network, "a.weight");
        assert_eq!(has_moved, step == 2 || step == 4, "step {step}");
    }
    // The mean of three, and of the two that were left at the end of the pass.
    let mean =
        |of: &[[f32; 3]]| [0, 1, 2].map(|i| of.iter().map(|g| g[i]).sum::<f32>() / of.len() as f32);
    let other = made(&[&FIRST]);
    let whole = Training { accumulate: 1, ..training };
    let mut at_once = Optimizer::new(&other.parameters, &whole, None).unwrap();
    learn(&other, &mut at_once, &mean(&GRADIENTS[..3]), ALONE);
    learn(&other, &mut at_once, &mean(&[GRADIENTS[3], GRADIENTS[0]]), ALONE);
    let expected: Vec<f64> = weights(&other, "a.weight").into_iter().map(f64::from).collect();
    near(&weights(&network, "a.weight"), &expected);
}

#[test]
fn gradients_of_other_tensors_are_gathered_too() {
    let network = pair();
    let training = Training { accumulate: 2, ..sgd(0.0, 0.0) };
    let mut ours = Optimizer::new(&network.parameters, &training, None).unwrap();
    for (step, output) in [1, 0].into_iter().enumerate() {
        let loss = outputs(&network)[output].sum(Kind::Float) * 3.0;
        descend(&network, &mut ours, &loss, Turn { step, of: 9, rate: 0.1 });
    }
    near(&weights(&network, "a.weight"), &[1.85]);
    near(&weights(&network, "b.weight"), &[-1.15]);
}

#[test]
fn averages_follow_the_weights() {
    let network = made(&[&FIRST]);
    let training = Training { ema: 0.9, ..training(Rule::Sgd) };
    let mut ours = Optimizer::new(&network.parameters, &training, None).unwrap();
    let mut average = FIRST.map(f64::from);
    for (step, gradient) in (0..).map(f64::from).zip(&GRADIENTS) {
        learn(&network, &mut ours, gradient, ALONE);
        let decay = (1.0 + step) / (10.0 + step);
        for (average, weight) in average.iter_mut().zip(weights(&network, "a.weight")) {
            *average = decay * *average + (1.0 - decay) * f64::from(weight);
        }
    }
    let mut found = Weights::new();
    ours.evaluated(&network.parameters).save(&mut found).unwrap();
    near(found["a.weight"].floats().unwrap(), &average);
}

#[test]
fn what_is_frozen_stays() {
    let mut network = pair();
    network.parameters.freeze(&Patterns::of("b.*, of a candidate that was not chosen"));
    let mut ours = Optimizer::new(&network.parameters, &training(Rule::Adamw), None).unwrap();
    let loss = outputs(&network).iter().map(|output| output.sum(Kind::Float)).sum();
    descend(&network, &mut ours, &loss, ALONE);
    assert!(weights(&network, "a.weight")[0] < 2.0);
    assert_eq!(weights(&network, "b.weight"), [-1.0]);
}

#[test]
fn long_gradients_are_clipped() {
    let network = pair();
    let mut ours = Optimizer::new(&network.parameters, &sgd(0.0, 0.0), Some(1.0)).unwrap();
    // The gradient is (3, 12), of norm sqrt(153).
    let [a, b] = [0, 1].map(|output| outputs(&network)[output].sum(Kind::Float));
    descend(&network, &mut ours, &(a * 3.0 + b * 12.0), Turn { rate: 1.0, ..ALONE });
    let norm = 153f64.sqrt();
    near(&weights(&network, "a.weight"), &[2.0 - 3.0 / norm]);
    near(&weights(&network, "b.weight"), &[-1.0 - 12.0 / norm]);
}

#[test]
fn adam_is_that_of_the_paper() {
    let (mut maker, _) = Maker::new(1, Shape::from([1, 1, 1]));
    maker.decision("d", 3);
    let mut choices = Choices::new(&maker.space);
    choices.prune(0, 2);
    let adam = Adam { beta1: 0.8, beta2: 0.9, decay: 0.1 };
    let (mut logits, mut mean, mut square) = ([1.0f64; 2], [0.0f64; 2], [0.0f64; 2]);
    for step in 1..=5 {
        let gradient = [0.3 / f64::from(step), -2.0, 7.0];
        choices.step(&gradient, 0.05, &adam);
        for i in 0..2 {
            let g = gradient[i] + 0.1 * logits[i];
            mean[i] = 0.8 * mean[i] + 0.2 * g;
            square[i] = 0.9 * square[i] + 0.1 * g * g;
            let (m, s) =
                (mean[i] / (1.0 - 0.8f64.powi(step)), square[i] / (1.0 - 0.9f64.powi(step)));
            logits[i] -= 0.05 * m / (s.sqrt() + 1e-8);
        }
        let found = choices.logits();
        for i in 0..2 {
            assert!((f64::from(found[i]) - logits[i]).abs() < 1e-5, "{found:?} {logits:?}");
        }
        assert_eq!(found[2].to_bits(), 1f32.to_bits());
    }
}
