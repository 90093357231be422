//! What only training has: what it adds to the loss, and that nothing else has it.

use nas_ir::Shape;
use nas_passes::specialise;
use tch::{Device, Kind, Tensor};

use super::loss;
use super::source::space;
use crate::error::Phase;
use crate::evaluation::Evaluation;
use crate::kernel::Noise;
use crate::layout::values;
use crate::network::TorchNetwork;
use crate::passes::TrainBatch;
use crate::program::Program;
use crate::random::Moment;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets, mean_loss};
use crate::training_loss::TrainingLoss;

const TRUNK: &str = "
space s {
    input image: [3, 8, 8]
    task segmentation(2)
    let near = image -> conv(4, kernel = 3) -> batch_norm -> relu
    let far = near -> choose op { a: conv(4, kernel = 3), b: conv(4, kernel = 1) }
    output logits = far -> conv(2, kernel = 1)
";
const HEADS: &str = "
    train(0.25) output first = near -> conv(2, kernel = 3)
    train output second = far -> avg_pool(2, stride = 2) -> conv(2, kernel = 1) -> resize(scale = 2)
}
";

fn batch<'a>(inputs: &'a [Tensor], targets: &'a DeviceTargets) -> TrainBatch<'a> {
    let (temperature, rate, drop_path) = (1.0, 0.1, 1.0);
    let (blend, loss, taught) = (None, &TrainingLoss::PLAIN, None);
    let (epoch, step, of, seed) = (0, 0, 1, 3);
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

/// The gradient of a loss with respect to the first convolution, which all outputs read.
fn gradient(network: &TorchNetwork, loss: &Tensor) -> Tensor {
    let mut specs = network.parameters.specs();
    let (kernel, _) = specs.find(|(_, spec)| spec.name == "conv.0.weight").unwrap();
    let (kernel, _) = network.parameters.trainable(kernel).unwrap().unwrap();
    Tensor::f_run_backward(&[loss], &[kernel], true, false).unwrap().remove(0)
}

#[test]
fn their_losses_and_gradients_are_added_by_weight() {
    let space = space(&format!("{TRUNK}{HEADS}"));
    let network = specialise(&space, &space.first_assignment());
    let network =
        TorchNetwork::in_training(&network, Some(Shape::from([3, 8, 8])), 1, Device::Cpu).unwrap();
    network.parameters.require_gradients(true).unwrap();
    tch::manual_seed(5);
    let images = Tensor::randn([4, 3, 8, 8], (Kind::Float, Device::Cpu));
    let values = Tensor::randint(2, [4, 8, 8], (Kind::Int64, Device::Cpu));
    let targets = DeviceTargets { values, criterion: Criterion::of(space.task.unwrap()) };

    let schedule = Schedule::in_training(&network.program).unwrap();
    let evaluation = Evaluation { schedule: &schedule, ..network.evaluation(Statistics::Batch) };
    let (total, value) =
        loss(&evaluation, &batch(std::slice::from_ref(&images), &targets), Phase::Network).unwrap();
    let outputs = evaluation.run(std::slice::from_ref(&images)).unwrap();
    let losses: Vec<Tensor> = outputs.iter().map(|o| mean_loss(o, &targets).unwrap()).collect();
    let [main, first, second] = losses.as_slice() else { panic!("{} outputs", losses.len()) };
    let sum = main + first * 0.25 + second * 0.4;
    assert!((value - sum.double_value(&[])).abs() < 1e-6, "{value} is not {sum}");

    let [total, main, first, second] =
        [&total, main, first, second].map(|loss| gradient(&network, loss));
    let sum = &main + first * 0.25 + second * 0.4;
    assert!(total.allclose(&sum, 1e-5, 1e-6, false), "{total} is not {sum}");
    assert!(!total.allclose(&main, 1e-2, 1e-3, false), "the heads move nothing");

    // Scoring has the output of the network alone, and does not evaluate what it does not need.
    let scored = network.evaluation(Statistics::Running);
    assert_eq!(scored.run(&[images]).unwrap().len(), 1);
    let is_head = |name: &str| ["conv.2.weight", "conv.3.weight"].contains(&name);
    let specs = network.parameters.specs();
    assert_eq!(specs.filter(|(_, spec)| is_head(&spec.name)).count(), 2);
    let read = network.schedule.parameters(&network.program).into_iter();
    let mut names = read.map(|id| network.parameters.spec(id).unwrap().name.as_str());
    assert!(names.all(|name| !is_head(name)));
}

/// A checkpoint of the network alone is one to begin with; what it lacks stays as it is.
#[test]
fn their_weights_may_be_missing_from_what_training_begins_with() {
    let space = space(&format!("{TRUNK}{HEADS}"));
    let plain = specialise(&space, &space.first_assignment());
    let of_network = TorchNetwork::new(&plain, 2, Device::Cpu).unwrap().weights().unwrap();
    let fed = Shape::from([3, 8, 8]);
    let mut network = TorchNetwork::in_training(&plain, Some(fed), 1, Device::Cpu).unwrap();
    let fresh = network.weights().unwrap();
    assert!(network.load(&of_network).is_err());
    network.load_evaluated(&of_network).unwrap();
    for (name, tensor) in network.weights().unwrap() {
        assert_eq!(Some(&tensor), of_network.get(&name).or(fresh.get(&name)), "{name}");
    }
    assert_eq!(fresh.len(), of_network.len() + 2);
}

#[test]
fn a_supernet_has_none() {
    let program = |rest: &str| Program::of_space(&space(&format!("{TRUNK}{rest}"))).unwrap();
    let (with, without) = (program(HEADS), program("}"));
    assert_eq!(with.parameters, without.parameters);
    assert_eq!(with.instructions.len(), without.instructions.len());
    assert_eq!(with.outputs, without.outputs);
}

/// The rate of a drop path grows with the pass; other dropouts have their own.
#[test]
fn passes_scale_the_rates_of_drop_paths() {
    let zeros = |op: &str, drop_path: f64| {
        let space = space(&format!("space s {{ input x: [1, 1, 1] output y = x -> {op}(0.5) }}"));
        let network = specialise(&space, &space.first_assignment());
        let network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
        let moment = Moment { choices: false, epoch: 0, step: 0 };
        let noise = Some(Noise { seed: 7, moment, drop_path });
        let evaluation = Evaluation { noise, ..network.evaluation(Statistics::Learn) };
        let ones = Tensor::ones([2000, 1, 1, 1], (Kind::Float, Device::Cpu));
        let found = values(&evaluation.run(&[ones]).unwrap()[0]).unwrap();
        let kept: Vec<f32> = found.iter().copied().filter(|value| *value > 0.0).collect();
        (1.0 - kept.len() as f64 / 2000.0, f64::from(kept[0]))
    };
    for (op, drop_path, p) in [
        ("drop_path", 1.0, 0.5),
        ("drop_path", 0.4, 0.2),
        ("drop_path", 0.0, 0.0),
        ("dropout", 0.4, 0.5),
    ] {
        let (share, kept) = zeros(op, drop_path);
        assert!(
            (share - p).abs() < 4.0 * (p * (1.0 - p) / 2000.0_f64).sqrt() + 1e-9,
            "{op} {share}"
        );
        assert!((kept - 1.0 / (1.0 - p)).abs() < 1e-6, "{op} {kept}");
    }
}
