//! Masks of channels (FBNetV2): what they compute against each candidate for itself, what runs, and that a search by them
//! finds a number of channels.

use nas_ir::{Checked, Space};
use nas_search::shared::Mixing;
use tch::{Device, Kind, Tensor, no_grad};

use super::batch;
use super::build::assignment;
use super::gradients::random;
use super::source::space;
use super::supernet::settings;
use crate::mixing::{Mix, assigned, of_selects};
use crate::mixture::Mixture;
use crate::passes::TrainBatch;
use crate::program::InstructionKind;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};

const PICTURES: i64 = 3;

/// The supernet in double precision, with other weights than 0 and 1.
fn supernet(space: &Checked<Space>) -> Mixture {
    let mut mixture = Mixture::new(space, settings(Mixing::Masked)).unwrap();
    mixture.parameters.make_double();
    let fresh = random(1, &mixture.parameters.flat().size());
    no_grad(|| mixture.parameters.flat().shallow_clone().copy_(&fresh));
    mixture.parameters.require_gradients(true).unwrap();
    mixture
}

/// The first output where the rules of selects and masks do this.
fn output(mixture: &Mixture, mixes: &[Mix], images: &Tensor) -> Tensor {
    let schedule = Schedule::new(&mixture.program, mixes).unwrap();
    let evaluation = mixture.evaluation(&schedule, mixes, Statistics::Batch);
    evaluation.run(std::slice::from_ref(images)).unwrap().remove(0)
}

/// The weights of a decision's candidates, `[N]` each, by a softmax of the logits with noise of its own for each picture.
fn sampled(logits: &Tensor, seed: u64) -> Vec<Tensor> {
    let noise = random(seed, &[PICTURES, logits.size()[0]]);
    (logits + noise).softmax(1, Kind::Double).unbind(1)
}

fn masked(candidate: usize, weights: &[Tensor]) -> Mix {
    let candidates = (0..weights.len()).collect();
    Mix::Masked { candidate, candidates, weights: weights.iter().map(Tensor::copy).collect() }
}

fn logits(seed: u64, count: i64) -> Tensor {
    random(seed, &[count]).set_requires_grad(true)
}

/// The trainable tensors, by name.
fn trainable(mixture: &Mixture) -> Vec<(String, Tensor)> {
    let specs = mixture.parameters.specs();
    let tensors = specs.filter_map(|(id, spec)| {
        let (tensor, _) = mixture.parameters.trainable(id).unwrap()?;
        Some((spec.name.clone(), tensor.shallow_clone()))
    });
    tensors.collect()
}

/// Whether two values are equal, and their gradients with respect to the weights and to these logits.
#[track_caller]
fn assert_same(mixture: &Mixture, logits: &[&Tensor], found: &Tensor, expected: &Tensor) {
    let close = |a: &Tensor, b: &Tensor| a.allclose(b, 1e-9, 1e-9, false);
    assert!(found.size() == expected.size() && close(found, expected));
    let weights = trainable(mixture);
    let leaves = weights.iter().map(|(_, tensor)| tensor).chain(logits.iter().copied());
    let leaves: Vec<&Tensor> = leaves.collect();
    let factors = random(9, &found.size());
    let gradients = |of: &Tensor| {
        Tensor::run_backward(&[(of * &factors).sum(Kind::Double)], &leaves, true, false)
    };
    let of_logits = weights.len();
    for (leaf, (a, b)) in gradients(found).iter().zip(gradients(expected)).enumerate() {
        assert!(close(a, &b), "leaf {leaf}");
        assert!(leaf < of_logits || a.abs().max().double_value(&[]) > 1e-3, "no gradient");
    }
}

/// `y = sum over i of g_i * pad(b_i(x))`, which is equation 4 of the paper where `b_i` is the part of `b` of the first
/// channels, and what reads it.
#[test]
fn a_mask_is_the_weighted_sum_of_the_padded_candidates() {
    let space = space(
        "space s {
            input image: [3, 6, 6]
            output y = image -> conv(elastic width [4, 2, 6], kernel = 3) -> batch_norm -> relu
                -> conv(5, kernel = 1, bias = true)
        }",
    );
    let (mixture, images, logits) =
        (supernet(&space), random(2, &[PICTURES, 3, 6, 6]), logits(3, 3));
    let weights = sampled(&logits, 4);
    let mixes = of_selects(&mixture.program, &[masked(2, &weights)]).unwrap();
    let found = output(&mixture, &mixes, &images);

    let tensors = trainable(&mixture);
    let tensor = |name: &str| &tensors.iter().find(|(own, _)| own == name).unwrap().1;
    let padded = |channels: i64| {
        let first = |name: &str| tensor(name).narrow(0, 0, channels);
        let y = images.conv2d(&first("conv.0.weight"), None::<Tensor>, 1, 1, 1, 1);
        let (scale, shift) = (first("batch_norm.0.weight"), first("batch_norm.0.bias"));
        let none = || None::<Tensor>;
        let y = y.batch_norm(Some(scale), Some(shift), none(), none(), true, 0.0, 1e-5, false);
        y.relu().constant_pad_nd([0, 0, 0, 0, 0, 6 - channels])
    };
    let terms = [4, 2, 6].into_iter().zip(&weights);
    let terms = terms.map(|(channels, g)| padded(channels) * g.view([PICTURES, 1, 1, 1]));
    let sum = terms.reduce(|a, b| a + b).unwrap();
    let expected = sum.conv2d(tensor("conv.1.weight"), Some(tensor("conv.1.bias")), 1, 0, 1, 1);
    assert_same(&mixture, &[&logits], &found, &expected);
}

/// Two decisions make a number of channels, and an operator is chosen between these channels and what joins them. All that
/// follows the mixtures is linear, so that the result is the mean of the networks.
#[test]
fn a_mask_of_two_decisions_is_the_mean_of_all_networks() {
    let space = space(
        "space s {
            input image: [3, 6, 6]
            let mid = elastic width [2, 4] * elastic expand [3, 1, 2]
            let x = image -> conv(mid, kernel = 3) -> batch_norm -> hswish
            let gate = x -> global_avg_pool -> sigmoid
            output y = x * gate -> choose op {
                depthwise: conv(mid, kernel = 3, groups = mid) -> batch_norm
                same: identity
            } -> conv(5, kernel = 1)
        }",
    );
    let (mixture, images) = (supernet(&space), random(2, &[PICTURES, 3, 6, 6]));
    let logits = [logits(3, 2), logits(4, 3), logits(5, 2)];
    let weights: Vec<Vec<Tensor>> =
        logits.iter().zip(6..).map(|(logits, seed)| sampled(logits, seed)).collect();
    let op = Mix::Soft {
        candidates: vec![0, 1],
        weights: weights[2].iter().map(Tensor::copy).collect(),
    };
    let decisions = [masked(1, &weights[0]), masked(0, &weights[1]), op];
    let mixes = of_selects(&mixture.program, &decisions).unwrap();
    let found = output(&mixture, &mixes, &images);
    let mut expected = found.zeros_like();
    for choice in (0..12).map(|i| [i / 6, i / 2 % 3, i % 2]) {
        let mixes = assigned(&mixture.program, &space, &assignment(&space, &choice)).unwrap();
        let shares = choice.iter().zip(&weights).map(|(&candidate, of)| of[candidate].copy());
        let share = shares.reduce(|a, b| a * b).unwrap();
        expected += output(&mixture, &mixes, &images) * share.view([PICTURES, 1, 1, 1]);
    }
    assert_same(&mixture, &logits.each_ref(), &found, &expected);
}

/// A resolution, and a number of channels behind it.
const SIZES: &str = "space s {
    input image: [3, 8, 8]
    task classification(4)
    let size = elastic resolution [5, 6, 8]
    output y = image -> resize(size = (size, size)) -> conv(elastic width [2, 4], kernel = 3)
        -> batch_norm -> relu -> conv(5, kernel = 1) -> global_avg_pool -> linear(4)
}";

/// `y = sum over i of g_i * f_i(x)`, `f_i` the network at resolution i, its channels masked.
#[test]
fn each_resolution_runs_for_itself_and_the_outputs_are_summed() {
    let space = space(SIZES);
    let mut mixture = supernet(&space);
    let images = random(2, &[PICTURES, 3, 8, 8]);
    let targets = DeviceTargets {
        values: Tensor::zeros([PICTURES], (Kind::Int64, Device::Cpu)),
        criterion: Criterion::of(space.task.unwrap()),
    };
    let batch = batch(&images, &targets, 0);
    for pruned in [None, Some(1), Some(0)] {
        if let Some(candidate) = pruned {
            mixture.choices.prune(0, candidate);
        }
        let logits = logits(3, 5);
        let found = mixture.mixed_output(&batch, &logits).unwrap();
        let drawn = || mixture.drawn(&batch, true, &logits).unwrap();
        let (candidates, weights) = match drawn().remove(0) {
            Mix::Soft { candidates, weights } => (candidates, weights),
            // One is left, and it is the only one that runs.
            Mix::One { candidate, .. } => {
                (vec![candidate], vec![Tensor::ones([PICTURES], (Kind::Double, Device::Cpu))])
            }
            Mix::Masked { .. } => panic!("a resolution has no mask"),
        };
        assert_eq!(
            candidates.len(),
            3 - [None, Some(1), Some(0)].iter().position(|p| *p == pruned).unwrap()
        );
        let mut expected = Tensor::zeros([PICTURES, 4], (Kind::Double, Device::Cpu));
        for (&candidate, weight) in candidates.iter().zip(&weights) {
            let mut mixes = drawn();
            mixes[0] = Mix::One { candidate, factor: None };
            let mixes = of_selects(&mixture.program, &mixes).unwrap();
            let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
            let sides = schedule.needed(&mixture.program).filter_map(|needed| match &needed.kind {
                InstructionKind::Op(case) if needed.node == "conv.0" => {
                    Some(case.output.to_string())
                }
                _ => None,
            });
            let side = [5, 6, 8][candidate];
            assert_eq!(sides.collect::<Vec<_>>(), [format!("[4, {side}, {side}]")]);
            expected += output(&mixture, &mixes, &images) * weight.view([PICTURES, 1]);
        }
        if candidates.len() > 1 {
            assert_same(&mixture, &[&logits], &found, &expected);
        } else {
            assert!(found.allclose(&expected, 1e-9, 1e-9, false));
        }
    }
}

/// A stem and a depthwise convolution of a number of channels that is decided.
const WIDTHS: &str = "space s {
    input image: [3, 6, 6]
    let width = elastic width [2, 8, 4, 6]
    output y = image -> conv(width, kernel = 3) -> relu -> conv(width, kernel = 3, groups = width)
        -> conv(5, kernel = 1)
}";

#[test]
fn the_most_channels_that_are_left_run_alone() {
    let space = space(WIDTHS);
    let mut mixture = supernet(&space);
    let images = random(2, &[PICTURES, 3, 6, 6]);
    let batch = |mixture: &Mixture| {
        let targets = DeviceTargets {
            values: Tensor::zeros([PICTURES], (Kind::Int64, Device::Cpu)),
            criterion: Criterion::of(nas_ir::Task::Classification { classes: 5 }),
        };
        let batch = batch(&images, &targets, 0);
        mixture.draw(&batch, true, &mixture.logits().unwrap()).unwrap()
    };
    // Pruned one after the other: 8, 2, 4.
    for (pruned, most) in [(None, 8), (Some(1), 6), (Some(0), 6), (Some(2), 6)] {
        if let Some(candidate) = pruned {
            mixture.choices.prune(0, candidate);
        }
        let mixes = batch(&mixture);
        let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
        let operators = schedule.needed(&mixture.program).filter_map(|needed| match &needed.kind {
            InstructionKind::Op(case) => Some((needed.node.as_str(), case.output.channels())),
            _ => None,
        });
        let expected = [("conv.0", most), ("relu.0", most), ("conv.1", most), ("conv.2", 5)];
        assert_eq!(operators.collect::<Vec<_>>(), expected);
    }
    // One is left, and it is a network.
    let alone = assigned(&mixture.program, &space, &assignment(&space, &[3])).unwrap();
    let [found, expected] = [batch(&mixture), alone].map(|mixes| output(&mixture, &mixes, &images));
    assert_eq!(found, expected);
}

const STEPS: usize = 300;

/// Which of `[1, 2, 4, 6, 8]` channels between two convolutions a search by masks takes for a linear map of this rank: fewer
/// channels than the rank lose, and more only cost.
fn found(rank: i64) -> (usize, f64) {
    let space = space(
        "space s {
            input image: [8, 3, 3]
            task regression(8)
            output y = image -> conv(elastic width [1, 2, 4, 6, 8], kernel = 1) -> conv(8, kernel = 1)
        }",
    );
    let mut mixture = Mixture::new(&space, settings(Mixing::Masked)).unwrap();
    tch::manual_seed(7);
    let normal = |sizes: &[i64]| Tensor::randn(sizes, (Kind::Float, Device::Cpu));
    let map = (normal(&[8, rank]).matmul(&normal(&[rank, 8])) * 0.5).view([8, 8, 1, 1]);
    let cost = |p: &[Vec<f64>]| {
        let channels = vec![1.0, 2.0, 4.0, 6.0, 8.0];
        (p[0].iter().zip(&channels).map(|(p, c)| p * c).sum(), vec![channels])
    };
    for step in 0..STEPS {
        let images = normal(&[16, 8, 3, 3]);
        let values = images.conv2d(&map, None::<Tensor>, 1, 0, 1, 1);
        let targets = DeviceTargets { values, criterion: Criterion::of(space.task.unwrap()) };
        let done = step as f64 / STEPS as f64;
        let temperature = 3.0 * (1.0_f64 / 10.0).powf(done);
        let batch = TrainBatch { temperature, ..batch(&images, &targets, step) };
        mixture.parameters.require_gradients(true).unwrap();
        mixture.weight_step(&batch).unwrap();
        if step >= STEPS / 4 {
            mixture.parameters.require_gradients(false).unwrap();
            mixture.choice_step(&space, &batch, 0.1, &cost).unwrap();
        }
    }
    let probabilities = mixture.choices.probabilities().remove(0).into_iter().enumerate();
    probabilities.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap()
}

#[test]
fn a_search_finds_how_many_channels_are_needed() {
    for (rank, candidate) in [(2, 1), (4, 2)] {
        let (found, probability) = found(rank);
        println!("rank {rank}: candidate {found} with probability {probability:.3}");
        assert!(found == candidate && probability > 0.8);
    }
}
