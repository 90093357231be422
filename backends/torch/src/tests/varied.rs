//! Spaces in which operators and shapes depend on decisions: what the supernet computes is what its
//! networks compute, with parts of its weights.

use std::collections::BTreeSet;

use nas_analysis::{Sampler, Supernet};
use nas_ir::{Checked, Metric, Space, Task};
use nas_passes::specialise;
use nas_search::shared::Mixing;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor, no_grad};

use super::build::assignment;
use super::loss;
use super::sgd;
use super::source::space;
use super::supernet::settings;
use crate::error::Phase;
use crate::evaluation::Evaluation;
use crate::judge::{Judge, Judging};
use crate::layout::values;
use crate::mixing::{Mix, assigned, of_selects};
use crate::mixture::Mixture;
use crate::network::TorchNetwork;
use crate::optimizer::{Optimizer, Turn};
use crate::passes::TrainBatch;
use crate::program::ParameterSpec;
use crate::rounding::{kernel_to_levels, to_half, to_levels};
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};

/// Cells with decisions of their own, two of n edges, edges of the operators of DARTS.
pub(crate) const DARTS: &str = r#"
block conv_bn(x, out, kernel = 1, stride = 1, dilation = 1, groups = 1) {
    x -> conv(out, kernel, stride, dilation, groups) -> batch_norm
}
block edge(x, c, stride) {
    x -> choose op {
        max: max_pool(3, stride, padding = "same") -> batch_norm
        skip: if stride == 1 { identity() } else { relu -> conv_bn(c, 1, stride) }
        for k in [3, 5] { "sep_{k}": relu -> conv_bn(c, k, stride, groups = c) -> conv_bn(c) }
        dil: relu -> conv_bn(c, 3, stride, dilation = 2, groups = c)
    }
}
block nodes(a, b, c, stride) {
    var states = [a, b]
    for n in 0..2 {
        let incoming = choose 2 from {
            for i in 0..len(states) {
                "{i}": states[i] -> edge(c, stride = if i < 2 { stride } else { 1 })
            }
        }
        states = states + [sum(incoming)]
    }
    concat(states[2..])
}
block align(x, like, c) {
    x -> relu -> conv_bn(c, 1, stride = if x.height == like.height { 1 } else { 2 })
}
cell normal(a, b, c) { nodes((a, b) -> align(c), b -> relu -> conv_bn(c), c, 1) }
cell reduction(a, b, c) { nodes((a, b) -> align(c), b -> relu -> conv_bn(c), c, 2) }
space s() {
    input image: [3, 16, 16]
    task classification(4)
    var older = image -> conv_bn(8, 3)
    var newer = older
    for c in [4, 4] {
        let out = (older, newer) -> normal(c)
        let next = (newer, out) -> reduction(c)
        older = out
        newer = next
    }
    output logits = newer -> global_avg_pool -> linear(4)
}
"#;

/// Elastic resolution, kernel, width, depth and squeeze-and-excite; a chosen kernel and activation.
pub(crate) const ELASTIC: &str = r#"
block conv_bn(x, out, kernel = 1, stride = 1, groups = 1) {
    x -> conv(out, kernel, stride, groups = groups) -> batch_norm
}
block excite(x, by) {
    let c = x.channels
    x * (x -> global_avg_pool -> conv(c / by, kernel = 1) -> relu -> conv(c, kernel = 1) -> hsigmoid)
}
block mbconv(x, out, stride, kernel, expand, act) {
    let mid = x.channels * expand
    let y = x -> conv_bn(mid) -> act -> conv_bn(mid, kernel, stride, groups = mid) -> act
        -> excite(by = 2) -> conv_bn(out)
    if stride == 1 and x.channels == out { x + y } else { y }
}
space s() {
    let size = elastic size [12, 16]
    input image: [3, size, size]
    task classification(4)
    let act = choose act [relu, sigmoid]
    var x = image -> conv_bn(4, kernel = choose stem [3, 5], stride = 2) -> relu
    for c in [4, 6] {
        x = x -> repeat elastic depth [1, 2] as i {
            mbconv(c, stride = if i == 0 { 2 } else { 1 }, kernel = elastic kernel [3, 5],
                   expand = elastic expand [2, 4], act)
        }
    }
    output logits = x -> global_avg_pool -> conv(8 * elastic last [1, 2], kernel = 1, bias = true)
        -> relu -> flatten -> linear(4)
}
"#;

/// The same without the resolution, for which no mask of channels stands.
pub(crate) fn of_one_size() -> String {
    ELASTIC.replace("elastic size [12, 16]", "16")
}

/// NASNet's hidden states and loose ends.
pub(crate) const NASNET: &str = r#"
block op_of(x, c) { x -> choose op { a: conv(c, kernel = 1), b: relu } }
cell normal(older, newer, c) {
    var states = [older, newer]
    for n in 0..2 {
        let a = (choose left (states)) -> op_of(c)
        let b = (choose right (states)) -> op_of(c)
        states = states + [a + b]
    }
    concat(loose_ends(states))
}
space s() {
    input image: [3, 16, 16]
    task classification(4)
    var older = image -> conv(6, kernel = 3)
    var newer = older
    for i in 0..2 {
        let out = (older -> conv(6, kernel = 1), newer -> conv(6, kernel = 1)) -> normal(6)
        older = newer
        newer = out
    }
    output logits = newer -> batch_norm -> global_avg_pool -> linear(4)
}
"#;

/// A segmentation that looks at its pictures in one of two sizes.
pub(crate) const SIZES: &str = r#"
space s() {
    let size = elastic size [8, 16]
    input image: [3, size, size]
    task segmentation(4, ignore = 255)
    output logits = image -> conv(6, kernel = elastic kernel [1, 3]) -> batch_norm -> relu
        -> conv(4, kernel = choose head [1, 3], bias = true)
}
"#;

struct Pictures {
    images: Tensor,
    targets: DeviceTargets,
}

/// Pictures whose class is that of the largest of four numbers that make their colours.
fn pictures(space: &Space) -> Pictures {
    tch::manual_seed(5);
    let task = space.task.unwrap();
    let images = Tensor::randn([8, 3, 16, 16], (Kind::Float, Device::Cpu)) * 0.3;
    let classes = Tensor::randint(4, [8], (Kind::Int64, Device::Cpu));
    let tint = classes.view([8, 1, 1, 1]).to_kind(Kind::Float) - 1.5;
    let images = images + tint * Tensor::from_slice(&[1.0f32, -0.5, 0.25]).view([1, 3, 1, 1]);
    let classes = match task {
        Task::Classification { .. } | Task::Multilabel { .. } | Task::Regression { .. } => classes,
        Task::Segmentation { .. } => classes.view([8, 1, 1]).expand([8, 16, 16], false),
    };
    Pictures { images, targets: DeviceTargets { values: classes, criterion: Criterion::of(task) } }
}

fn batch(pictures: &Pictures, step: usize) -> TrainBatch<'_> {
    super::batch(&pictures.images, &pictures.targets, step)
}

fn supernet(space: &Checked<Space>, mixing: Mixing) -> Mixture {
    let mixture = Mixture::new(space, settings(mixing)).unwrap();
    mixture.parameters.require_gradients(true).unwrap();
    mixture
}

fn evaluation<'a>(
    mixture: &'a Mixture,
    (schedule, mixes): &'a (Schedule, Vec<Mix>),
    statistics: Statistics,
) -> Evaluation<'a> {
    mixture.evaluation(schedule, mixes, statistics)
}

/// The supernet with these choices.
fn scheduled(mixture: &Mixture, decisions: &[Mix]) -> (Schedule, Vec<Mix>) {
    let mixes = of_selects(&mixture.program, decisions).unwrap();
    (Schedule::new(&mixture.program, &mixes).unwrap(), mixes)
}

fn chosen(choices: &[usize]) -> Vec<Mix> {
    choices.iter().map(|&candidate| Mix::One { candidate, factor: None }).collect()
}

#[track_caller]
fn assert_close(found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size());
    for (a, b) in values(found).unwrap().iter().zip(values(expected).unwrap()) {
        assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{a}, not {b}");
    }
}

#[test]
fn a_network_computes_what_its_part_of_the_supernet_computes() {
    let one_size = of_one_size();
    let hard = [DARTS, ELASTIC, NASNET, SIZES].map(|text| (text, Mixing::Hard));
    for (text, mixing) in hard.into_iter().chain([(one_size.as_str(), Mixing::Masked)]) {
        let space = space(text);
        let pictures = pictures(&space);
        let mut mixture = supernet(&space, mixing);
        for step in 0..4 {
            mixture.weight_step(&batch(&pictures, step)).unwrap();
        }
        let sampler = Sampler::new(&space).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut seen = BTreeSet::new();
        for _ in 0..12 {
            let assignment = sampler.draw(&mut random);
            let mixes = assigned(&mixture.program, &space, &assignment).unwrap();
            let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
            let images = [pictures.images.shallow_clone()];
            let part = mixture.evaluation(&schedule, &mixes, Statistics::Running);
            let part = no_grad(|| part.run(&images)).unwrap();
            let network = mixture.inherit(&space, &assignment, false).unwrap();
            let alone = network.forward(&images, false).unwrap();
            assert_close(&alone[0], &part[0]);
            seen.insert(values(&part[0]).unwrap()[0].to_bits());
            let needed = specialise(&space, &assignment).weights().into_iter();
            let needed: Vec<_> = needed.map(|w| (w.name, w.weight.dims)).collect();
            let held = network.weights().unwrap().into_iter();
            assert_eq!(held.map(|(name, tensor)| (name, tensor.dims)).collect::<Vec<_>>(), needed);
        }
        assert!(seen.len() > 3, "the networks do not differ");
    }
}

#[test]
fn a_supernet_step_and_a_retrain_step_lower_the_loss() {
    for text in [DARTS, ELASTIC, NASNET, SIZES] {
        let space = space(text);
        let pictures = pictures(&space);
        let mut mixture = supernet(&space, Mixing::Hard);
        let run = |mixture: &mut Mixture, from: usize| -> f64 {
            let steps = from..from + 12;
            let losses = steps.map(|step| mixture.weight_step(&batch(&pictures, step)).unwrap());
            losses.sum::<f64>() / 12.0
        };
        let first = run(&mut mixture, 0);
        let later: Vec<f64> = (1..5).map(|i| run(&mut mixture, 12 * i)).collect();
        assert!(later[3] < 0.8 * first, "{first} {later:?}");
        let free =
            |p: &[Vec<f64>]| (0.0, p.iter().map(|row| vec![0.0; row.len()]).collect::<Vec<_>>());
        let before = mixture.choices.logits();
        mixture.parameters.require_gradients(false).unwrap();
        mixture.choice_step(&space, &batch(&pictures, 0), 0.0, &free).unwrap();
        assert_ne!(before, mixture.choices.logits());

        let fed = mixture.program.inputs[0];
        let network = specialise(&space, &assignment(&space, &[]));
        let network = TorchNetwork::fed(&network, Some(fed), 1, Device::Cpu).unwrap();
        network.parameters.require_gradients(true).unwrap();
        let mut optimizer = Optimizer::new(&network.parameters, &sgd(0.9, 0.0), Some(5.0)).unwrap();
        let mut losses = Vec::new();
        for step in 0..20 {
            let evaluation = network.evaluation(Statistics::Learn);
            let (tensor, value) =
                loss(&evaluation, &batch(&pictures, step), Phase::Network).unwrap();
            losses.push(value);
            let read = network.schedule.parameters(&network.program);
            let turn = Turn { step, of: 20, rate: 0.05 };
            optimizer.learn(&network.parameters, read, &tensor, turn).unwrap();
        }
        assert!(losses[19] < 0.8 * losses[0], "{losses:?}");
    }
}

/// Two decisions that own weights, one that shares them, all on one convolution.
const ONE: &str = r#"
space s() {
    input image: [3, 8, 8]
    let x = image -> conv(elastic width [2, 4], kernel = elastic kernel [1, 3, 5],
                          stride = choose stride [1, 2])
    output y = x -> batch_norm -> conv(1, kernel = 1) -> global_avg_pool
}
"#;

#[test]
fn cases_share_tensors_unless_a_choice_owns_them() {
    let space = space(ONE);
    let mixture = supernet(&space, Mixing::Hard);
    let specs = mixture.parameters.specs();
    let found: Vec<(&str, &[u32])> =
        specs.map(|(_, spec)| (spec.name.as_str(), spec.dims.as_slice())).collect();
    // What follows the convolution is not what the stride is about.
    let expected = [
        ("conv.0[stride=1].weight", &[4, 3, 5, 5][..]),
        ("conv.0[stride=2].weight", &[4, 3, 5, 5]),
        ("batch_norm.0.weight", &[4]),
        ("batch_norm.0.bias", &[4]),
        ("batch_norm.0.running_mean", &[4]),
        ("batch_norm.0.running_var", &[4]),
        ("conv.1.weight", &[1, 4, 1, 1]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_analysis_counts_what_the_supernet_holds() {
    for text in [DARTS, ELASTIC, NASNET, SIZES, ONE] {
        let space = space(text);
        let mixture = supernet(&space, Mixing::Hard);
        let trainable = mixture.parameters.specs().filter(|(_, spec)| spec.role.is_trainable());
        let held: i64 = trainable.map(|(_, spec)| spec.elements()).sum();
        assert_eq!(Supernet::of(&space).total.params, held as u64);
    }
}

#[test]
fn a_case_reads_the_first_channels_and_the_centre_of_the_kernel() {
    let space = space(ONE);
    let mixture = supernet(&space, Mixing::Hard);
    let state = mixture.state().unwrap();
    // Of width 2, kernel 3 and stride 2.
    let network = mixture.inherit(&space, &assignment(&space, &[0, 1, 1]), false).unwrap();
    let weights = network.weights().unwrap();
    let (part, whole) = (&weights["conv.0.weight"], &state["conv.0[stride=2].weight"]);
    assert_eq!(part.dims, [2, 3, 3, 3]);
    let at = |data: &[f32], size: usize, [o, i, y, x]: [usize; 4]| {
        data[((o * 3 + i) * size + y) * size + x]
    };
    for place in 0..54 {
        let [o, i, y, x] = [place / 27, place / 9 % 3, place / 3 % 3, place % 3];
        let expected = at(whole.floats().unwrap(), 5, [o, i, y + 1, x + 1]);
        assert_eq!(at(part.floats().unwrap(), 3, [o, i, y, x]), expected);
    }
    let [part, whole] = [&weights, &state].map(|of| of["conv.1.weight"].floats().unwrap());
    assert_eq!(part, &whole[..2]);
}

/// What a step changes of a common tensor is what its case reads, and the running statistics of
/// the channels that ran.
#[test]
fn gradients_and_statistics_reach_the_common_tensors() {
    let space = space(ONE);
    let mut mixture = supernet(&space, Mixing::Hard);
    tch::manual_seed(2);
    let images = Tensor::randn([4, 3, 8, 8], (Kind::Float, Device::Cpu));
    let scheduled = scheduled(&mixture, &chosen(&[0, 1, 0]));
    let before = mixture.state().unwrap();
    let value = |mixture: &Mixture, statistics| {
        let output = evaluation(mixture, &scheduled, statistics).run(&[images.shallow_clone()]);
        let weights = Tensor::from_slice(&[1.0f32, -2.0, 0.5, 1.5]).view([4, 1, 1, 1]);
        (output.unwrap().remove(0).square() * weights).sum(Kind::Float)
    };
    let is_kernel = |spec: &ParameterSpec| spec.name == "conv.0[stride=1].weight";
    let (kernel, _) = mixture.parameters.specs().find(|(_, spec)| is_kernel(spec)).unwrap();
    let (kernel, _) = mixture.parameters.trainable(kernel).unwrap().unwrap();
    let found =
        Tensor::run_backward(&[value(&mixture, Statistics::Batch)], &[kernel], false, false);
    let gradient = values(&found[0]).unwrap();
    let mut moved = 0;
    for (place, &gradient) in gradient.iter().enumerate() {
        let [o, y, x] = [place / 75, place / 5 % 5, place % 5];
        let is_read = o < 2 && (1..4).contains(&y) && (1..4).contains(&x);
        if !is_read {
            assert_eq!(gradient, 0.0, "{place} is not read");
            continue;
        }
        let mut at = |by: f32| {
            let mut state = before.clone();
            state["conv.0[stride=1].weight"].floats_mut().unwrap()[place] += by;
            mixture.restore(&state).unwrap();
            no_grad(|| value(&mixture, Statistics::Batch)).double_value(&[])
        };
        let difference = (at(0.01) - at(-0.01)) / 0.02;
        let error = (f64::from(gradient) - difference).abs();
        assert!(error < 2e-3 * (1.0 + difference.abs()), "{place}: {gradient} {difference}");
        moved += usize::from(difference.abs() > 1e-3);
    }
    assert!(moved > 20, "{moved}");
    mixture.restore(&before).unwrap();
    drop(value(&mixture, Statistics::Learn));
    let after = mixture.state().unwrap();
    let [a, b] =
        [&before, &after].map(|state| state["batch_norm.0.running_mean"].floats().unwrap());
    assert!(a[..2].iter().zip(&b[..2]).all(|(a, b)| a != b) && a[2..] == b[2..], "{a:?} {b:?}");
}

#[test]
fn a_soft_mixture_is_the_sum_over_all_ways() {
    let space = space(
        r#"
space s() {
    input image: [3, 4, 4]
    let k = choose k [1, 3]
    let x = image -> conv(2, kernel = k)
    let y = if k == 3 { x -> sigmoid } else { x }
    output z = sum(choose 2 pair { a: y -> conv(2, kernel = 1), b: y, c: y -> tanh })
}
"#,
    );
    let mixture = supernet(&space, Mixing::Soft);
    let weights = |rows: [&[f32]; 2]| {
        let soft = |row: &[f32]| Mix::Soft {
            candidates: (0..row.len()).collect(),
            weights: row.iter().map(|&w| Tensor::from_slice(&[w, 1.0 - w])).collect(),
        };
        rows.map(soft)
    };
    let (by_k, by_set) = ([0.25, 0.75], [0.5, 0.3, 0.2]);
    tch::manual_seed(4);
    let image = Tensor::randn([2, 3, 4, 4], (Kind::Float, Device::Cpu));
    let scheduled = scheduled(&mixture, &weights([&by_k, &by_set]));
    let evaluation = evaluation(&mixture, &scheduled, Statistics::Batch);
    let found = no_grad(|| evaluation.run(&[image.shallow_clone()])).unwrap().remove(0);

    let state = mixture.state().unwrap();
    let kernel = |name: &str| {
        let tensor = &state[name];
        let dims: Vec<i64> = tensor.dims.iter().map(|&d| i64::from(d)).collect();
        Tensor::from_slice(tensor.floats().unwrap()).view(dims.as_slice())
    };
    let conv = |x: &Tensor, name: &str, padding: i64| {
        x.conv2d(&kernel(name), None::<Tensor>, 1, padding, 1, 1)
    };
    let of = |picture: i64, w: f64| if picture == 0 { w } else { 1.0 - w };
    for picture in 0..2 {
        let by_k = by_k.map(|w: f32| of(picture, f64::from(w)));
        let by_set = by_set.map(|w: f32| of(picture, f64::from(w)));
        let image = image.narrow(0, picture, 1);
        let one = conv(&image, "conv.0[k=1].weight", 0);
        let three = conv(&image, "conv.0[k=3].weight", 1);
        let x = &one * by_k[0] + &three * by_k[1];
        let y = x.sigmoid() * by_k[1] + &x * by_k[0];
        let options = [conv(&y, "pair=a/conv.0.weight", 0), y.shallow_clone(), y.tanh()];
        let sets = [[0, 1], [0, 2], [1, 2]];
        let sets = sets.iter().zip(by_set).map(|([a, b], w)| (&options[*a] + &options[*b]) * w);
        assert_close(&found.narrow(0, picture, 1), &sets.reduce(|a, b| a + b).unwrap());
    }
}

/// Where widths are still apart, nothing is mixed: the gradient of the choice is taken where they
/// meet, once.
#[test]
fn the_factor_of_a_width_counts_where_the_widths_meet() {
    let space = space(
        r#"
space s() {
    input image: [3, 4, 4]
    let x = image -> conv(elastic width [2, 4], kernel = 1) -> relu -> conv(3, kernel = 1)
    output z = x -> conv(2, kernel = elastic kernel [1, 3])
}
"#,
    );
    let mixture = supernet(&space, Mixing::Hard);
    mixture.parameters.require_gradients(false).unwrap();
    let factor = || Tensor::from_slice(&[1.0f32]).set_requires_grad(true);
    let (width, kernel) = (factor(), factor());
    let one =
        |candidate, factor: &Tensor| Mix::One { candidate, factor: Some(factor.shallow_clone()) };
    let scheduled = scheduled(&mixture, &[one(0, &width), one(1, &kernel)]);
    tch::manual_seed(4);
    let image = Tensor::randn([2, 3, 4, 4], (Kind::Float, Device::Cpu));
    let output =
        evaluation(&mixture, &scheduled, Statistics::Batch).run(&[image]).unwrap().remove(0);
    let sum = output.sum(Kind::Float);
    let gradients = Tensor::run_backward(&[&sum], &[&width, &kernel], false, false);
    // The result is linear in what both scale.
    for gradient in gradients {
        assert!((gradient.double_value(&[0]) - sum.double_value(&[])).abs() < 1e-4);
    }
}

#[test]
fn a_classification_is_scored_by_pictures() {
    let logits = Tensor::from_slice(&[2.0f32, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 3.0, 4.0]);
    let values = Tensor::from_slice(&[0i64, 1, 1]);
    let task = Task::Classification { classes: 3 };
    let mut judge = Judge::new(task, Judging { primary: None, peak: 1.0 });
    let targets = DeviceTargets { values, criterion: Criterion::of(task) };
    judge.add(&logits.view([3, 3]), &targets).unwrap();
    let metrics = judge.metrics().unwrap();
    let (primary, accuracy) = metrics.primary();
    assert!(*primary == Metric::Accuracy && accuracy == 2.0 / 3.0);
    assert_eq!((metrics.get(Metric::Miou), metrics.by_class().count()), (None, 1));
    // Of class 0 one is right, of class 1 one of two, and one is taken for class 2.
    assert!((metrics.get(Metric::F1).unwrap() - (1.0 + 2.0 / 3.0 + 0.0) / 3.0).abs() < 1e-12);
    assert_eq!(judge.told().unwrap().confusion().unwrap()[1], [0, 1, 1]);
    let cross_entropy =
        |row: [f64; 3], class: usize| row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[class];
    let rows = [([2.0, 0.0, 1.0], 0), ([0.0, 1.0, 0.0], 1), ([0.0, 3.0, 4.0], 1)];
    let mean = rows.map(|(row, class)| cross_entropy(row, class)).iter().sum::<f64>() / 3.0;
    assert!((metrics.get(Metric::Loss).unwrap() - mean).abs() < 1e-5);
}

/// One layer that computes in one of three precisions, the next in integers.
const PRECISIONS: &str = r#"
space s() {
    input image: [3, 8, 8]
    let x = image -> conv(4, kernel = choose kernel [1, 3], precision = choose precision [fp32, fp16, int8])
    output y = x -> relu -> conv(2, kernel = 1, bias = true, precision = int8)
}
"#;

#[test]
fn a_layer_reads_numbers_as_its_precision_has_them() {
    let space = space(PRECISIONS);
    let mixture = supernet(&space, Mixing::Hard);
    // The precisions of a kernel share it; only the kernels have weights of their own.
    let names: Vec<&str> = mixture.parameters.specs().map(|(_, spec)| spec.name.as_str()).collect();
    let expected =
        ["conv.0[kernel=1].weight", "conv.0[kernel=3].weight", "conv.1.weight", "conv.1.bias"];
    assert_eq!(names, expected);

    let image = Tensor::arange(3 * 64, (Kind::Float, Device::Cpu)).sin().view([1, 3, 8, 8]);
    let exact = |x: &Tensor| x.shallow_clone();
    let half = |x: &Tensor| to_half(x).unwrap();
    type Round<'f> = &'f dyn Fn(&Tensor) -> Tensor;
    let levels = |x: &Tensor| to_levels(x).unwrap();
    let kernel_levels = |x: &Tensor| kernel_to_levels(x, Some(0)).unwrap();
    let rounds: [[Round<'_>; 2]; 3] = [[&exact, &exact], [&half, &half], [&levels, &kernel_levels]];
    let mut seen = BTreeSet::new();
    for (precision, [value, kernel]) in rounds.into_iter().enumerate() {
        // The kernel of 3, and this precision.
        let choices = [1, precision];
        let network = mixture.inherit(&space, &assignment(&space, &choices), false).unwrap();
        let weights = network.weights().unwrap();
        let weight = |name: &str| {
            let tensor = &weights[name];
            let dims: Vec<i64> = tensor.dims.iter().map(|&size| i64::from(size)).collect();
            Tensor::from_slice(tensor.floats().unwrap()).view(dims.as_slice())
        };
        let first = value(&image).conv2d(
            &kernel(&weight("conv.0.weight")),
            None::<Tensor>,
            [1, 1],
            [1, 1],
            [1, 1],
            1,
        );
        let (second, bias) = (kernel_levels(&weight("conv.1.weight")), weight("conv.1.bias"));
        let expected = levels(&first.relu()).conv2d(&second, Some(bias), [1, 1], [0, 0], [1, 1], 1);
        let found = network.forward(&[image.shallow_clone()], false).unwrap();
        assert_close(&found[0], &expected);
        seen.insert(values(&expected).unwrap()[0].to_bits());
    }
    assert_eq!(seen.len(), 3, "precisions make no difference");
}
