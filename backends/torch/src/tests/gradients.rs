//! Gradients against central differences, in double precision: of every operator as it is lowered,
//! of parts of common tensors, and of the mixtures of decisions.

use nas_cases::networks::with_weights;
use nas_cases::{cases, reference};
use nas_ir::{Task, Tensor as Plain};
use nas_search::shared::Mixing;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor, no_grad};

use super::loss;
use super::source::space;
use super::supernet::settings;
use super::varied::{DARTS, ELASTIC, NASNET, of_one_size};
use crate::error::Phase;
use crate::evaluation::Evaluation;
use crate::kernel::Noise;
use crate::layout::channels_last;
use crate::mixing::{Draw, Mix, of_selects};
use crate::mixture::Mixture;
use crate::network::TorchNetwork;
use crate::parameters::Parameters;
use crate::passes::TrainBatch;
use crate::program::ParameterId;
use crate::random::Moment;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};
use crate::training_loss::TrainingLoss;

/// Batch norm wants some.
const PICTURES: i64 = 3;
const MOMENT: Moment = Moment { choices: true, epoch: 0, step: 0 };

/// Uniform in (-2, 2), and representable in single precision.
pub(crate) fn random(seed: u64, sizes: &[i64]) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count = sizes.iter().product::<i64>();
    let data: Vec<f32> = (0..count).map(|_| rng.random_range(-2.0..2.0)).collect();
    Tensor::from_slice(&data).view(sizes).to_kind(Kind::Double)
}

/// One of the pictures of a batch.
pub(crate) fn picture(batch: &Tensor, n: i64) -> Plain {
    let one = batch.narrow(0, n, 1);
    let dims: Vec<u32> = one.size().into_iter().map(|d| d as u32).collect();
    let data = one.to_kind(Kind::Float).contiguous().flatten(0, -1);
    Plain::of_floats(dims, data.try_into().unwrap())
}

/// Those of these tensors that are trainable.
fn trainable(parameters: &Parameters, ids: impl IntoIterator<Item = ParameterId>) -> Vec<Tensor> {
    let tensors = parameters.all_trainable(ids).unwrap().into_iter();
    tensors.map(|(_, tensor, _)| tensor.shallow_clone()).collect()
}

/// Compares the gradient with respect to these leaves, along a random direction, with the difference
/// of the value on both sides, which it returns. The step is so short that none of some 100,000
/// rectified values changes its sign.
#[track_caller]
fn check(name: &str, leaves: &[Tensor], value: impl Fn() -> Tensor) -> f64 {
    const STEP: f64 = 1e-8;
    let directions: Vec<Tensor> =
        leaves.iter().zip(100..).map(|(leaf, seed)| random(seed, &leaf.size())).collect();
    let found = value();
    let gradients = match found.requires_grad() {
        true => Tensor::run_backward(&[&found], leaves, false, false),
        false => Vec::new(),
    };
    let defined = gradients.iter().zip(&directions).filter(|(gradient, _)| gradient.defined());
    let along = |(gradient, direction): (&Tensor, &Tensor)| {
        (gradient * direction).sum(Kind::Double).double_value(&[])
    };
    let by_gradient: f64 = defined.map(along).sum();
    let moved = |by: f64| {
        no_grad(|| {
            for (leaf, direction) in leaves.iter().zip(&directions) {
                let _ = leaf.shallow_clone().g_add_(&(direction * by));
            }
        });
    };
    let at = |by: f64| {
        moved(by);
        let value = no_grad(|| value().double_value(&[]));
        moved(-by);
        value
    };
    let by_difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
    let error = (by_gradient - by_difference).abs();
    assert!(
        error < 1e-4 * (1.0 + by_difference.abs()),
        "{name}: {by_gradient}, not {by_difference}"
    );
    by_difference.abs()
}

/// A network of the cases in double precision, with gradients, and a batch for it.
struct Case {
    name: String,
    network: nas_ir::Network,
    torch: TorchNetwork,
    inputs: Vec<Tensor>,
}

fn all() -> impl Iterator<Item = Case> {
    cases::all().into_iter().chain(cases::other_ranks()).map(|(name, network)| {
        let mut torch = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
        torch.load(&with_weights(&network).weights).unwrap();
        torch.parameters.make_double();
        torch.parameters.require_gradients(true).unwrap();
        let shapes = network.inputs.iter().map(|port| network.nodes[port.node].shape);
        let inputs = shapes.zip(0..).map(|(shape, seed)| {
            let mut sizes = vec![PICTURES];
            sizes.extend(shape.dims().iter().map(|&d| i64::from(d)));
            random(seed, &sizes)
        });
        let inputs = inputs.collect();
        Case { name, network, torch, inputs }
    })
}

/// What autograd keeps must not be overwritten, nor what another operator still reads: the
/// gradients tell.
#[test]
fn operators_have_the_gradients_of_their_differences() {
    let mut fixed = Vec::new();
    for Case { name, torch, inputs, .. } in all() {
        let inputs: Vec<Tensor> =
            inputs.iter().map(|x| channels_last(x).unwrap().set_requires_grad(true)).collect();
        let noise = Some(Noise { seed: 5, moment: MOMENT, drop_path: 1.0 });
        let evaluation = Evaluation { noise, ..torch.evaluation(Statistics::Batch) };
        let value = || {
            let outputs = evaluation.run(&inputs).unwrap().into_iter().zip(50..);
            let sums = outputs.map(|(y, seed)| (&y * random(seed, &y.size())).sum(Kind::Double));
            sums.reduce(|a, b| a + b).unwrap()
        };
        let all = torch.parameters.specs().map(|(id, _)| id);
        let mut leaves = trainable(&torch.parameters, all);
        leaves.extend(inputs.iter().map(Tensor::shallow_clone));
        let slopes = leaves.iter().map(|leaf| check(&name, std::slice::from_ref(leaf), value));
        if slopes.fold(0.0, f64::max) < 1e-4 {
            fixed.push(name);
        }
    }
    assert_eq!(fixed, ["zero"]);
}

/// A batch that learns is its pictures, each as the definition has it, in either layout; operands
/// stay what they are.
#[test]
fn training_computes_what_the_definition_says() {
    for Case { name, network, torch, inputs } in all() {
        let model = with_weights(&network);
        let pictures: Vec<Vec<Plain>> = (0..PICTURES)
            .map(|n| {
                let inputs: Vec<Plain> = inputs.iter().map(|x| picture(x, n)).collect();
                reference::run(&model, &inputs)
            })
            .collect();
        let last: Vec<Tensor> = inputs.iter().map(|x| channels_last(x).unwrap()).collect();
        for inputs in [&inputs, &last] {
            let before: Vec<Tensor> = inputs.iter().map(Tensor::copy).collect();
            let outputs = torch.evaluation(Statistics::Running).run(inputs).unwrap();
            assert_eq!(&before, inputs, "{name} writes into its operand");
            for (output, found) in outputs.iter().enumerate() {
                let expected =
                    pictures.iter().flat_map(|of| of[output].floats().unwrap().iter().copied());
                let expected = Tensor::from_slice(&expected.collect::<Vec<f32>>());
                let expected = expected.view(found.size().as_slice()).to_kind(Kind::Double);
                let found = found.to_kind(Kind::Double);
                assert!(found.allclose(&expected, 1e-6, 1e-6, false), "{name}");
            }
        }
    }
}

/// Dropouts of all kinds between in-place operators; a residual.
const DROPOUTS: &str = "
space s() {
    input image: [3, 16, 16]
    task classification(4)
    let x = image -> conv(8, kernel = 3, stride = 2) -> batch_norm -> relu6 -> dropout(0.3)
    let y = x -> choose op {
        a: conv(8, kernel = 3, dilation = 2, groups = 8) -> batch_norm -> relu -> drop_path(0.4)
        b: conv(8, kernel = 1) -> spatial_dropout(0.3)
        c: zero
    }
    output logits = x + y -> relu -> global_avg_pool -> linear(4)
}
";

/// A supernet in double precision with a batch for it.
struct Searched {
    mixture: Mixture,
    images: Tensor,
    targets: DeviceTargets,
    logits: Tensor,
}

impl Searched {
    fn new(text: &str, mixing: Mixing) -> Self {
        let space = space(text);
        let task = space.task.unwrap();
        assert_eq!(task, Task::Classification { classes: 4 });
        let mut mixture = Mixture::new(&space, settings(mixing)).unwrap();
        mixture.parameters.make_double();
        mixture.parameters.require_gradients(true).unwrap();
        let fed = mixture.program.inputs[0].dims().iter().map(|&d| i64::from(d));
        let images = random(1, &[vec![4], fed.collect()].concat());
        let values = Tensor::arange(4, (Kind::Int64, Device::Cpu));
        let targets = DeviceTargets { values, criterion: Criterion::of(task) };
        let count = mixture.choices.logits().len() as i64;
        let logits = random(2, &[count]).set_requires_grad(true);
        Self { mixture, images, targets, logits }
    }

    fn batch(&self, step: usize) -> TrainBatch<'_> {
        let Self { images, targets, .. } = self;
        let (temperature, rate, drop_path) = (0.7, 0.0, 1.0);
        let (blend, loss, taught) = (None, &TrainingLoss::PLAIN, None);
        let (epoch, of, seed) = (0, 1, 3);
        let inputs = std::slice::from_ref(images);
        TrainBatch {
            inputs,
            targets,
            blend,
            loss,
            taught,
            temperature,
            rate,
            drop_path,
            epoch,
            step,
            draws: step,
            of,
            seed,
        }
    }

    /// The loss where the selects do this.
    fn loss(&self, mixes: &[Mix], step: usize) -> Tensor {
        let schedule = Schedule::new(&self.mixture.program, mixes).unwrap();
        let evaluation = self.mixture.evaluation(&schedule, mixes, Statistics::Batch);
        loss(&evaluation, &self.batch(step), Phase::Choices).unwrap().0
    }

    /// The trainable tensors that these mixtures read.
    fn leaves(&self, mixes: &[Mix]) -> Vec<Tensor> {
        let schedule = Schedule::new(&self.mixture.program, mixes).unwrap();
        trainable(&self.mixture.parameters, schedule.parameters(&self.mixture.program))
    }
}

#[test]
fn soft_mixtures_have_the_gradients_of_their_differences() {
    let one_size = of_one_size();
    let soft =
        [DARTS, DROPOUTS].into_iter().flat_map(|t| [(t, Mixing::Soft), (t, Mixing::Softmax)]);
    for (text, mixing) in soft.chain([(one_size.as_str(), Mixing::Masked)]) {
        let searched = Searched::new(text, mixing);
        let mixes = || searched.mixture.draw(&searched.batch(0), true, &searched.logits).unwrap();
        let mut all = vec![vec![searched.logits.shallow_clone()]];
        // What mixes does not change how weights learn.
        if mixing != Mixing::Softmax {
            all.push(searched.leaves(&mixes()));
        }
        for leaves in all {
            let slope = check(text, &leaves, || searched.loss(&mixes(), 0));
            assert!(slope > 1e-4, "{mixing:?} {slope}: {text}");
        }
    }
}

/// A hard choice has the value of one candidate, whatever the logits: the gradient is that of a
/// factor at 1.
#[test]
fn hard_choices_have_the_gradients_of_their_factors() {
    for text in [DARTS, ELASTIC, NASNET, DROPOUTS] {
        let searched = Searched::new(text, Mixing::Hard);
        let count = searched.mixture.choices.kept().count();
        let factor = || Tensor::ones([1], (Kind::Double, Device::Cpu)).set_requires_grad(true);
        let factors: Vec<Tensor> = std::iter::repeat_with(factor).take(count).collect();
        for step in 0..3 {
            let choices = draw(&searched, Mixing::Hard, step);
            let mixes = || {
                let chosen = choices.iter().zip(&factors).map(|(mix, factor)| Mix::One {
                    candidate: mix.candidates()[0],
                    factor: Some(factor.shallow_clone()),
                });
                of_selects(&searched.mixture.program, &chosen.collect::<Vec<_>>()).unwrap()
            };
            for leaves in [&factors, &searched.leaves(&mixes())] {
                let slope = check(text, leaves, || searched.loss(&mixes(), step));
                assert!(slope > 1e-3, "{text}");
            }
        }
    }
}

/// What the decisions do in a step of the choices, each of one picture.
fn draw(searched: &Searched, mixing: Mixing, step: usize) -> Vec<Mix> {
    let moment = Moment { step, ..MOMENT };
    let device = Device::Cpu;
    let draw = Draw { mixing, temperature: 0.7, seed: 3, moment, batch: 1, device };
    draw.mixes(&searched.mixture.choices, &searched.logits).unwrap()
}

/// The factor of a hard choice is 1, and its gradient that of the weight of the candidate
/// (straight-through, Jang, Gu and Poole 2017, section 2.2), which a soft draw shows.
#[test]
fn straight_through_factors_have_the_gradients_of_the_weights() {
    let searched = Searched::new(DARTS, Mixing::Hard);
    let hard = draw(&searched, Mixing::Hard, 0);
    for (decision, mix) in hard.iter().enumerate() {
        let Mix::One { candidate, factor: Some(factor) } = mix else { continue };
        assert_eq!(factor.double_value(&[0]), 1.0);
        let soft = || match draw(&searched, Mixing::Soft, 0).swap_remove(decision) {
            Mix::Soft { candidates, mut weights } => {
                let at = candidates.iter().position(|c| c == candidate).unwrap();
                weights.swap_remove(at).sum(Kind::Double)
            }
            Mix::One { .. } | Mix::Masked { .. } => panic!("not soft"),
        };
        let logits = std::slice::from_ref(&searched.logits);
        check("the weight", logits, soft);
        let gradient = |of: &Tensor| Tensor::run_backward(&[of], logits, true, false).remove(0);
        assert!(gradient(factor).allclose(&gradient(&soft()), 1e-12, 1e-12, false));
    }
}

/// Of the two candidates that run one has the gate 1 and the other 0, and the gradient of a gate is that of its share
/// of the two (ProxylessNAS, Cai et al. 2019, equation 4).
#[test]
fn gates_are_binary_and_have_the_gradients_of_the_shares() {
    let searched = Searched::new(DARTS, Mixing::TwoPaths);
    let mut opened = [0; 2];
    for step in 0..8 {
        for mix in draw(&searched, Mixing::TwoPaths, step) {
            // A decision of one candidate has no gates.
            let Mix::Soft { candidates, weights } = mix else { continue };
            assert!(candidates.len() == 2 && candidates[0] != candidates[1]);
            let open: Vec<f64> = weights.iter().map(|gate| gate.double_value(&[0])).collect();
            assert!(open == [1.0, 0.0] || open == [0.0, 1.0], "{open:?}");
            opened[usize::from(open[1] > 0.5)] += 1;
            let logits = std::slice::from_ref(&searched.logits);
            let gradient = |of: &Tensor| Tensor::run_backward(&[of], logits, true, false).remove(0);
            let [first, second] = [gradient(&weights[0]), gradient(&weights[1])];
            // Shares sum to 1, and only the two logits move them.
            assert!(first.allclose(&second.neg(), 1e-12, 1e-12, false));
            assert_eq!(first.nonzero().size()[0], 2);
        }
    }
    assert!(opened[0] > 0 && opened[1] > 0, "{opened:?}");
}

/// In a step of the weights one candidate runs, drawn from the probabilities.
#[test]
fn weights_learn_on_one_of_the_paths() {
    let searched = Searched::new(DARTS, Mixing::TwoPaths);
    let mixes = searched.mixture.draw(&searched.batch(0), false, &searched.logits).unwrap();
    assert!(mixes.iter().all(|mix| matches!(mix, Mix::One { .. })));
}
