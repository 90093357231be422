//! Steps on pictures and mixtures that are given.

use std::ops::Range;

use nas_ir::recipe::{Training, TrainingPrecision};
use nas_ir::{Checked, Elements, Shape, Space, Tensor as Plain, Weights};
use tch::Device;

use super::build::{UNITS, network, squeeze};
use super::sgd;
use crate::backend::Options;
use crate::rehearsal::{Mixed, Rehearsal};

const DECAY: f64 = 1e-2;
const CHOICES: [usize; 2] = [2, 0];
/// On one thread, gradients as they are.
const ALONE: Options = Options {
    device: Device::Cpu,
    threads: Some(1),
    fuses: true,
    memory: None,
    clip: None,
    estimate: 0,
};

fn small() -> Checked<Space> {
    squeeze(3, Shape::from([3, 16, 16]), &[(8, 2), (8, 1)], &[UNITS[0], UNITS[5], UNITS[8]])
}

fn shown(rehearsal: Rehearsal) -> Rehearsal {
    shown_of(rehearsal, 0..2)
}

/// Shows pictures of these numbers.
fn shown_of(mut rehearsal: Rehearsal, pictures: Range<i32>) -> Rehearsal {
    let count = pictures.len() as u32;
    let each = |size: i32| pictures.start * size..pictures.end * size;
    let values = each(3 * 16 * 16).map(|i| (i as f32 * 0.37).sin()).collect();
    let labels = Elements::I64(each(16 * 16).map(|i| i64::from(i % 3)).collect());
    let labels = Plain { dims: vec![count, 16, 16], elements: labels };
    rehearsal.show(&[Plain::of_floats([count, 3, 16, 16], values)], &labels).unwrap();
    rehearsal
}

fn supernet(mixed: Vec<Mixed>) -> Rehearsal {
    supernet_by(ALONE, TrainingPrecision::Fp32, mixed)
}

fn supernet_by(options: Options, precision: TrainingPrecision, mixed: Vec<Mixed>) -> Rehearsal {
    let training = Training { precision, ..sgd(0.9, DECAY) };
    let rehearsal = Rehearsal::of_supernet(&small(), &training, options);
    let mut rehearsal = shown(rehearsal.unwrap());
    rehearsal.mix(mixed);
    rehearsal
}

fn candidates() -> Vec<Mixed> {
    CHOICES.map(Mixed::Candidate).into()
}

/// The largest difference of tensors that both have.
fn distance(a: &Weights, b: &Weights) -> f32 {
    let of = |name: &str, tensor: &Plain| {
        let pairs = tensor.floats().unwrap().iter().zip(b[name].floats().unwrap());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    a.iter().map(|(name, tensor)| of(name, tensor)).fold(0.0, f32::max)
}

#[test]
fn a_step_goes_down_the_gradients_that_are_told() {
    let weights = Plain::of_floats([2, 4], vec![0.1, 0.2, 0.3, 0.4, 0.7, 0.1, 0.1, 0.1]);
    let mut rehearsal = supernet(vec![Mixed::Weights(weights), Mixed::Candidate(1)]);
    let before = rehearsal.weights().unwrap();
    let (told, gradients) = rehearsal.gradients().unwrap();
    let loss = rehearsal.step().unwrap();
    assert!((told - loss).abs() < 1e-6, "{told} and {loss}");
    let after = rehearsal.weights().unwrap();
    let rate = sgd(0.9, DECAY).rate.at(0, 1) as f32;
    for (name, gradient) in &gradients {
        let values = before[name].floats().unwrap().iter().zip(gradient.floats().unwrap());
        for ((w, g), after) in values.zip(after[name].floats().unwrap()) {
            let wanted = w - rate * (g + DECAY as f32 * w);
            assert!((wanted - after).abs() < 1e-6, "{name}: {after}, not {wanted}");
        }
    }
}

#[test]
fn candidates_that_are_given_learn_as_their_network_does() {
    let supernet = supernet(candidates());
    let network = network(&small(), &CHOICES);
    let network = Rehearsal::of_network(&network, &sgd(0.9, DECAY), ALONE).unwrap();
    let mut network = shown(network);
    network.load(&supernet.weights().unwrap()).unwrap();
    let [(loss, gradients), (alone, of_network)] =
        [supernet.gradients().unwrap(), network.gradients().unwrap()];
    assert!((loss - alone).abs() < 1e-6, "{loss} and {alone}");
    assert_eq!(gradients.len(), of_network.len());
    assert!(distance(&gradients, &of_network) < 1e-5);
}

/// The loss enlarges what the network answers, and layers are computed together.
#[test]
fn what_is_computed_together_is_what_is_computed_apart() {
    let mixed = || vec![Mixed::Candidate(1), Mixed::Candidate(0)];
    let of = |fuses| {
        let options = Options { fuses, ..ALONE };
        supernet_by(options, TrainingPrecision::Fp32, mixed()).gradients().unwrap()
    };
    let ((loss, gradients), (apart, wanted)) = (of(true), of(false));
    assert!((loss - apart).abs() < 1e-6 * apart, "{loss} and {apart}");
    assert!(distance(&gradients, &wanted) < 1e-5);
}

/// Convolutions in each form in which layers are computed together, before and behind what is not.
#[test]
fn layers_of_every_form_are_what_they_are_apart() {
    const BLOCKS: &str = "block gated(x) { x * (x -> global_avg_pool -> conv(x.channels, kernel = 1, bias = true) -> sigmoid) }
        block halved(x) { let y = x -> conv(8, kernel = 3, bias = true) (y -> relu) + (y -> batch_norm) }";
    let bodies = [
        // One channel in and out is no depthwise convolution.
        "conv(1, kernel = 1) -> batch_norm -> relu -> conv(1, kernel = 9) -> batch_norm -> hswish -> gated -> conv(1, kernel = 1) -> batch_norm",
        "conv(16, kernel = 1, stride = 2) -> batch_norm -> swish -> gated -> relu -> conv(24, kernel = 1) -> batch_norm",
        "conv(8, kernel = (2, 3), stride = (1, 2), padding = ((0, 1), (2, 0))) -> batch_norm -> conv(32, kernel = 1) -> batch_norm -> hswish \
            -> conv(32, kernel = 5, groups = 32) -> batch_norm -> gated -> conv(8, kernel = 1) -> batch_norm",
        "conv(8, kernel = 3, bias = true) -> batch_norm -> relu -> halved",
        "conv(40, kernel = 3) -> batch_norm -> swish -> conv(8, kernel = 3) -> batch_norm",
        // A gate before an expansion, and groups.
        "conv(8, kernel = 3) -> batch_norm -> gated -> conv(16, kernel = 1) -> batch_norm -> relu -> conv(16, kernel = 3, groups = 16) -> batch_norm",
        "conv(8, kernel = 1) -> batch_norm -> relu6 -> conv(8, kernel = 1, stride = 2, groups = 2) -> batch_norm -> conv(8, kernel = 3, groups = 2, bias = true)",
    ];
    for body in bodies {
        let text = format!(
            "{BLOCKS} space s {{ input x: [3, 16, 16] task classification(3)
             output y = x -> {body} -> global_avg_pool -> linear(3) }}"
        );
        let space = nas_testing::space(nas_grammar::Source::new("s.nas", text));
        let network = nas_passes::specialise(&space, &space.first_assignment());
        let of = |fuses| {
            let options = Options { fuses, ..ALONE };
            let mut rehearsal = Rehearsal::of_network(&network, &sgd(0.9, DECAY), options).unwrap();
            let values = (0..4 * 3 * 16 * 16).map(|i: i32| (i as f32 * 0.37).sin()).collect();
            let labels = Plain { dims: vec![4], elements: Elements::I64(vec![0, 1, 2, 1]) };
            rehearsal.show(&[Plain::of_floats([4, 3, 16, 16], values)], &labels).unwrap();
            let computed = rehearsal.gradients().unwrap();
            (computed, rehearsal.step().unwrap(), rehearsal.weights().unwrap())
        };
        let (((loss, gradients), _, weights), ((apart, wanted), _, moved)) = (of(true), of(false));
        assert!((loss - apart).abs() < 1e-5 * apart, "{body}: {loss} and {apart}");
        assert_eq!(gradients.len(), wanted.len(), "{body}");
        let far = distance(&gradients, &wanted);
        assert!(far < 1e-4, "{body}: {far}");
        assert!(distance(&weights, &moved) < 1e-4, "{body}");
    }
}

/// The sum of the products of the elements that both have.
fn product(a: &Weights, b: &Weights) -> f32 {
    let of = |(name, tensor): (&String, &Plain)| {
        let pairs = tensor.floats().unwrap().iter().zip(b[name].floats().unwrap());
        pairs.map(|(a, b)| a * b).sum::<f32>()
    };
    a.iter().map(of).sum()
}

/// How far gradients in 16 bits turn from those of floats, and both losses.
fn turned(options: Options) -> (f32, [f64; 2]) {
    let weights = Plain::of_floats([2, 4], vec![0.1, 0.2, 0.3, 0.4, 0.7, 0.1, 0.1, 0.1]);
    let mixed = || vec![Mixed::Weights(weights.clone()), Mixed::Candidate(1)];
    let of = |precision| supernet_by(options, precision, mixed()).gradients().unwrap();
    let (loss, gradients) = of(TrainingPrecision::Fp32);
    let (in_half, of_half) = of(TrainingPrecision::Bf16);
    let lengths = product(&gradients, &gradients).sqrt() * product(&of_half, &of_half).sqrt();
    (product(&gradients, &of_half) / lengths, [loss, in_half])
}

/// What layers that are computed together keep is rounded, and nothing forward.
#[test]
fn what_is_kept_in_bfloat16_turns_gradients_hardly() {
    let (cosine, [loss, in_half]) = turned(ALONE);
    assert_eq!(loss, in_half);
    assert!((0.999..0.999_999_9).contains(&cosine), "{cosine}");
}

/// Where each operator is computed for itself, values have 8 bits then, so that some come to lie on the other side of a rectifier, which changes gradients before it:
/// they point the same way, and weights and gradients are floats.
#[test]
fn bfloat16_turns_gradients_a_little() {
    let (cosine, [loss, in_half]) = turned(Options { fuses: false, ..ALONE });
    assert!((loss - in_half).abs() < 0.02 * loss, "{loss} and {in_half}");
    assert_ne!(loss, in_half);
    assert!((0.8..0.999_999).contains(&cosine), "{cosine}");
}

/// Loss, gradients, and what a step leaves of weights and running statistics: bit for bit, however many layers are computed again.
#[test]
fn what_is_computed_again_is_the_same() {
    let weights = Plain::of_floats([2, 4], vec![0.1, 0.2, 0.3, 0.4, 0.7, 0.1, 0.1, 0.1]);
    let step = |mut rehearsal: Rehearsal| {
        let computed = rehearsal.gradients().unwrap();
        (computed, rehearsal.step().unwrap(), rehearsal.weights().unwrap())
    };
    let mixed = || supernet(vec![Mixed::Weights(weights.clone()), Mixed::Candidate(1)]);
    let alone = || {
        let network = network(&small(), &CHOICES);
        shown(Rehearsal::of_network(&network, &sgd(0.9, DECAY), ALONE).unwrap())
    };
    let (of_supernet, of_network) = (step(mixed()), step(alone()));
    for layers in [1, 3, usize::MAX] {
        assert!(step(mixed().recomputing(layers).unwrap()) == of_supernet, "{layers} layers");
        assert!(step(alone().recomputing(layers).unwrap()) == of_network, "{layers} layers");
    }
}

/// Loss and gradients of a batch in parts are the means of those of batches of the parts.
#[test]
fn parts_of_a_batch_are_batches() {
    let row = |i: i32| [0.1 + 0.1 * i as f32, 0.2, 0.3, 0.4 - 0.1 * i as f32];
    let mixed = |pictures: Range<i32>| {
        let dims = [pictures.len() as u32, 4];
        let weights = Plain::of_floats(dims, pictures.flat_map(row).collect::<Vec<_>>());
        vec![Mixed::Weights(weights), Mixed::Candidate(1)]
    };
    let of_supernet = |pictures: Range<i32>, parts| {
        let rehearsal = Rehearsal::of_supernet(&small(), &sgd(0.9, DECAY), ALONE).unwrap();
        let mut rehearsal = shown_of(rehearsal, pictures.clone()).in_parts(parts).unwrap();
        rehearsal.mix(mixed(pictures));
        rehearsal.gradients().unwrap()
    };
    let network = network(&small(), &CHOICES);
    let of_network = |pictures: Range<i32>, parts| {
        let rehearsal = Rehearsal::of_network(&network, &sgd(0.9, DECAY), ALONE).unwrap();
        shown_of(rehearsal, pictures).in_parts(parts).unwrap().gradients().unwrap()
    };
    for of in [&of_supernet as &dyn Fn(Range<i32>, usize) -> (f64, Weights), &of_network] {
        let (loss, gradients) = of(0..4, 2);
        let [first, second] = [of(0..2, 1), of(2..4, 1)];
        assert!((loss - (first.0 + second.0) / 2.0).abs() < 1e-6 * loss);
        assert_ne!(loss, of(0..4, 1).0, "batch norms of the whole");
        for (name, gradient) in &gradients {
            let [a, b] = [&first.1, &second.1].map(|own| own[name].floats().unwrap());
            for (found, (a, b)) in gradient.floats().unwrap().iter().zip(a.iter().zip(b)) {
                assert!((found - (a + b) / 2.0).abs() < 1e-6, "{name}: {found} for {a} and {b}");
            }
        }
    }
}
