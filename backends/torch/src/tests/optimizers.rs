//! Both optimisers against their formulas, step by step.

use nas_ir::Shape;
use nas_search::shared::Adam;
use tch::{Device, Kind, Tensor};

use super::build::{Conv, Maker, checked, network};
use crate::choices::Choices;
use crate::network::TorchNetwork;
use crate::optimizer::Sgd;

/// Two outputs, `a * x` and `b * x`, of one weight each.
fn pair() -> TorchNetwork {
    let (mut maker, x) = Maker::new(1, Shape::from([1, 1, 1]));
    let a = maker.conv("a", x, 1, Conv::pointwise());
    maker.output(a);
    let b = maker.conv("b", x, 1, Conv::pointwise());
    maker.output(b);
    maker.space.task = None;
    let network = network(&checked(maker.space), &[]);
    let mut network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
    let mut weights = network.weights().unwrap();
    for (tensor, value) in weights.values_mut().zip([2.0, -1.0]) {
        tensor.floats_mut().unwrap()[0] = value;
    }
    network.load(&weights).unwrap();
    network.parameters.require_gradients(true).unwrap();
    network
}

fn weights(network: &TorchNetwork) -> [f32; 2] {
    let weights = network.weights().unwrap();
    ["a.weight", "b.weight"].map(|name| weights[name].floats().unwrap()[0])
}

#[test]
fn sgd_has_momentum_and_decay_and_skips_what_did_not_run() {
    let network = pair();
    let mut sgd = Sgd::new(&network.parameters, 0.9, 0.01, None).unwrap();
    let x = Tensor::from_slice(&[3.0f32]).view([1, 1, 1, 1]);
    let mut a = (2.0f64, 0.0f64);
    for step in 0..4 {
        let outputs = network.forward(std::slice::from_ref(&x), true).unwrap();
        let loss = outputs[0].sum(Kind::Float);
        let rate = 0.1 / f64::from(step + 1);
        let read = network.schedule.parameters(&network.program);
        sgd.step(&network.parameters, read, &loss, rate).unwrap();
        a.1 = 0.9 * a.1 + 3.0 + 0.01 * a.0;
        a.0 -= rate * a.1;
        let [found, other] = weights(&network);
        assert!((f64::from(found) - a.0).abs() < 1e-5, "{found} {}", a.0);
        assert_eq!(other.to_bits(), (-1.0f32).to_bits(), "decay of a weight that did not run");
    }
}

#[test]
fn long_gradients_are_clipped() {
    let network = pair();
    let mut sgd = Sgd::new(&network.parameters, 0.0, 0.0, Some(1.0)).unwrap();
    let x = Tensor::from_slice(&[3.0f32]).view([1, 1, 1, 1]);
    let outputs = network.forward(&[x], true).unwrap();
    // The gradient is (3, 12), of norm sqrt(153).
    let loss = outputs[0].sum(Kind::Float) + outputs[1].sum(Kind::Float) * 4.0;
    let read = network.schedule.parameters(&network.program);
    sgd.step(&network.parameters, read, &loss, 1.0).unwrap();
    let [a, b] = weights(&network).map(f64::from);
    let norm = 153f64.sqrt();
    assert!((a - (2.0 - 3.0 / norm)).abs() < 1e-6 && (b - (-1.0 - 12.0 / norm)).abs() < 1e-6);
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
