//! Networks that learn from the largest one of their step.

use nas_ir::{Assignment, Checked, Shape, Space, Task};
use nas_search::shared::{Lesson, Mixing, Sharing};
use tch::{Device, Kind, Tensor};

use super::build::{UNITS, assignment, squeeze};
use super::supernet::settings;
use crate::layout::values;
use crate::mixing::assigned;
use crate::mixture::Mixture;
use crate::optimizer::{Descent, Gradients};
use crate::passes::TrainBatch;
use crate::program::ParameterId;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets, mean_loss, taught_loss};
use crate::training_loss::TrainingLoss;

const TASK: Task = Task::Segmentation { classes: 3, ignore: 255 };

fn tensor(data: &[f64], sizes: &[i64]) -> Tensor {
    Tensor::from_slice(data).to_kind(Kind::Float).view(sizes)
}

fn probabilities(logits: &[f64]) -> Vec<f64> {
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    logits.iter().map(|logit| logit.exp() / sum).collect()
}

/// `(p - q) / labels`, pixel by pixel, where p are the probabilities of the network and q those of its teacher.
#[test]
fn the_gradient_of_the_divergence_is_the_difference_of_probabilities() {
    // One picture of four pixels, of which the third has no label.
    let own: [[f64; 3]; 4] = [[0.3, -1.0, 2.0], [0.0, 0.0, 0.0], [4.0, 1.0, 1.0], [-0.5, 0.7, 0.2]];
    let taught: [[f64; 3]; 4] =
        [[1.0, 0.5, -0.5], [3.0, 0.0, 1.0], [0.0, 9.0, 0.0], [-0.5, 0.7, 0.2]];
    let by_class = |pixels: &[[f64; 3]; 4]| -> Vec<f64> {
        (0..3).flat_map(|class| pixels.iter().map(move |pixel| pixel[class])).collect()
    };
    let logits = tensor(&by_class(&own), &[1, 3, 2, 2]).set_requires_grad(true);
    let teacher = tensor(&by_class(&taught), &[1, 3, 2, 2]);
    let labels = Tensor::from_slice(&[0_i64, 1, 255, 2]).view([1, 2, 2]);
    let targets = DeviceTargets { values: labels, criterion: Criterion::of(TASK) };
    let loss = taught_loss(&logits, &teacher, 1.0, &targets).unwrap();
    let found = values(&Tensor::run_backward(&[&loss], &[&logits], false, false)[0]).unwrap();
    let (mut wanted, mut sum) = (vec![0.0; 12], 0.0);
    for pixel in [0, 1, 3] {
        let (p, q) = (probabilities(&own[pixel]), probabilities(&taught[pixel]));
        for class in 0..3 {
            wanted[4 * class + pixel] = (p[class] - q[class]) / 3.0;
            sum += q[class] * (q[class] / p[class]).ln() / 3.0;
        }
    }
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!((f64::from(*found) - wanted).abs() < 1e-6, "{found} {wanted}");
    }
    assert!((loss.double_value(&[]) - sum).abs() < 1e-6);
}

/// Of several labels the same, class by class; of a regression twice the distance from the teacher, whatever the target is.
/// What is not known counts for nothing.
#[test]
fn other_tasks_learn_from_a_teacher_too() {
    let (own, taught) = ([0.3, -1.0, 2.0, 0.5], [1.0, 0.5, -0.5, 9.0]);
    let sigmoid = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let of_labels = |place: usize| sigmoid(own[place]) - sigmoid(taught[place]);
    let of_values = |place: usize| 2.0 * (own[place] - taught[place]);
    let tasks: [(Task, &dyn Fn(usize) -> f64); 2] = [
        (Task::Multilabel { classes: 2 }, &of_labels),
        (Task::Regression { values: 2 }, &of_values),
    ];
    for (task, slope) in tasks {
        let answers = tensor(&own, &[2, 2]).set_requires_grad(true);
        let values = tensor(&[1.0, 0.0, 1.0, f64::NAN], &[2, 2]);
        let targets = DeviceTargets { values, criterion: Criterion::of(task) };
        let loss = taught_loss(&answers, &tensor(&taught, &[2, 2]), 1.0, &targets).unwrap();
        let found = values_of(&Tensor::run_backward(&[&loss], &[&answers], false, false)[0]);
        for (place, found) in found.into_iter().enumerate() {
            let wanted = if place == 3 { 0.0 } else { slope(place) / 3.0 };
            assert!((found - wanted).abs() < 1e-6, "{task:?}, {place}: {found} {wanted}");
        }
    }
}

fn values_of(tensor: &Tensor) -> Vec<f64> {
    values(tensor).unwrap().into_iter().map(f64::from).collect()
}

struct Fixture {
    space: Checked<Space>,
    images: Tensor,
    targets: DeviceTargets,
}

impl Fixture {
    fn new() -> Self {
        let units = [UNITS[0], UNITS[5], UNITS[8]];
        let space = squeeze(3, Shape::from([3, 16, 16]), &[(8, 2), (8, 1)], &units);
        tch::manual_seed(5);
        let images = Tensor::randn([4, 3, 16, 16], (Kind::Float, Device::Cpu));
        let values = Tensor::randint(3, [4, 16, 16], (Kind::Int64, Device::Cpu));
        Self { space, images, targets: DeviceTargets { values, criterion: Criterion::of(TASK) } }
    }

    fn batch(&self) -> TrainBatch<'_> {
        TrainBatch {
            inputs: std::slice::from_ref(&self.images),
            targets: &self.targets,
            temperature: 1.0,
            rate: 0.05,
            drop_path: 1.0,
            epoch: 0,
            step: 0,
            draws: 0,
            of: 1,
            loss: &TrainingLoss::PLAIN,
            blend: None,
            taught: None,
            seed: 3,
        }
    }

    fn mixture(&self) -> Mixture {
        let mixture =
            Mixture::on_paths(&self.space, settings(Mixing::Hard), Sharing::default()).unwrap();
        mixture.parameters.require_gradients(true).unwrap();
        mixture
    }

    fn network(&self, choices: &[usize]) -> Assignment {
        assignment(&self.space, choices)
    }

    /// Its logits, and the parameters that it reads.
    fn logits(&self, mixture: &Mixture, network: &Assignment) -> (Tensor, Vec<ParameterId>) {
        let mixes = assigned(&mixture.program, &self.space, network).unwrap();
        let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
        let evaluation = mixture.evaluation(&schedule, &mixes, Statistics::Batch);
        let logits = evaluation.run(&[self.images.shallow_clone()]).unwrap().remove(0);
        (logits, schedule.parameters(&mixture.program).into_iter().collect())
    }

    fn gradients(&self, mixture: &Mixture, paths: &[&Assignment], lesson: Lesson) -> Gradients {
        let paths: Vec<Assignment> = paths.iter().copied().cloned().collect();
        mixture.path_gradients(&self.space, &self.batch(), &paths, lesson).unwrap().0
    }
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

/// The first network learns from the labels as if it were alone, and the second from the first: down the gradient of
/// `-sum q log p`, which is that of the divergence, with q held fixed.
#[test]
fn the_first_learns_from_labels_and_the_second_from_the_first() {
    let fixture = Fixture::new();
    let mixture = fixture.mixture();
    let (first, second) = (fixture.network(&[1, 1]), fixture.network(&[0, 1]));
    let both = fixture.gradients(&mixture, &[&first, &second], Lesson::First);
    let alone = fixture.gradients(&mixture, &[&first], Lesson::Labels);

    let (taught, of_first) = fixture.logits(&mixture, &first);
    let (logits, of_second) = fixture.logits(&mixture, &second);
    let soft = taught.detach().softmax(1, Kind::Float);
    let pixels = 4.0 * 16.0 * 16.0;
    let loss = -(soft * logits.log_softmax(1, Kind::Float)).sum(Kind::Float) / pixels;
    let by_hand = Descent::of(&mixture.parameters, of_second.iter().copied(), &loss).unwrap();

    let mut counted = [0; 3];
    for (id, spec) in mixture.parameters.specs() {
        let Some(found) = both.of(id) else { continue };
        let (is_firsts, is_seconds) = (of_first.contains(&id), of_second.contains(&id));
        let none = found.zeros_like();
        let or_none = |of: Option<Tensor>| of.unwrap_or_else(|| none.shallow_clone());
        let wanted = or_none(alone.of(id)) + or_none(by_hand.of(id));
        assert!(distance(&found, &wanted) < 1e-5, "{}: {}", spec.name, distance(&found, &wanted));
        counted[usize::from(is_firsts) + 2 * usize::from(is_seconds) - 1] += 1;
    }
    assert!(counted.iter().all(|&of| of > 2), "{counted:?} of the first, the second, and both");
    let of_labels = fixture.gradients(&mixture, &[&first, &second], Lesson::Labels);
    let differs =
        of_second.iter().filter_map(|&id| Some(distance(&both.of(id)?, &of_labels.of(id)?)));
    assert!(differs.fold(0.0, f64::max) > 1e-3, "labels or the first, it is the same");
}

/// The second network never sees a label, and comes near the first, and so to the labels.
#[test]
fn a_network_that_sees_no_label_learns_them_from_the_first() {
    let fixture = Fixture::new();
    let mut mixture = fixture.mixture();
    let paths = [fixture.network(&[1, 1]), fixture.network(&[0, 0])];
    let state = |mixture: &Mixture| {
        let (taught, _) = fixture.logits(mixture, &paths[0]);
        let (logits, _) = fixture.logits(mixture, &paths[1]);
        let loss = mean_loss(&logits, &fixture.targets).unwrap().double_value(&[]);
        let far = taught_loss(&logits, &taught, 1.0, &fixture.targets).unwrap().double_value(&[]);
        (loss, far)
    };
    let (before, _) = state(&mixture);
    for _ in 0..60 {
        mixture.path_step(&fixture.space, &fixture.batch(), &paths, Lesson::First).unwrap();
    }
    let (after, far) = state(&mixture);
    assert!(after < 0.97 * before, "{before} before, {after} after");
    assert!(far < 0.1, "{far}");
}
