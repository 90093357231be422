//! The gradient of the choices by the losses of drawn networks, against the expected loss over all networks.

use std::sync::Arc;

use nas_ir::{Assignment, Checked, Space, Task};
use nas_search::shared::Mixing;
use tch::{Device, Kind, Tensor, no_grad};

use super::build::assignment;
use super::loss;
use super::source::space;
use super::supernet::settings;
use crate::error::Phase;
use crate::mixing::assigned;
use crate::mixture::{Mixture, logits_gradient};
use crate::passes::TrainBatch;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};
use crate::training_loss::TrainingLoss;

/// A decision before a batch norm, with candidates that lead to different losses; one that is idle where the last
/// decision takes `no`.
const TEXT: &str = "
space s() {
    input image: [3, 8, 8]
    task classification(4)
    let x = image -> conv(6, kernel = 3, stride = 2) -> batch_norm -> relu -> choose op {
        a: conv(6, kernel = 1)
        b: conv(6, kernel = 3)
        c: conv(6, kernel = 3, groups = 6)
    }
    let y = x -> conv(6, kernel = 1) -> batch_norm -> relu
    let z = y -> choose more {
        no: identity
        yes: choose how { p: conv(6, kernel = 3), q: conv(6, kernel = 1) }
    }
    output logits = z -> global_avg_pool -> linear(4)
}
";

struct Searched {
    space: Arc<Checked<Space>>,
    mixture: Mixture,
    images: Tensor,
    targets: DeviceTargets,
}

impl Searched {
    fn new(mixing: Mixing) -> Self {
        let space = space(TEXT);
        let mixture = Mixture::new(&space, settings(mixing)).unwrap();
        tch::manual_seed(1);
        let images = Tensor::randn([8, 3, 8, 8], (Kind::Float, Device::Cpu));
        let values = Tensor::arange(8, (Kind::Int64, Device::Cpu)).remainder(4);
        let targets =
            DeviceTargets { values, criterion: Criterion::of(Task::Classification { classes: 4 }) };
        Self { space, mixture, images, targets }
    }

    fn batch(&self, step: usize) -> TrainBatch<'_> {
        let Self { images, targets, .. } = self;
        let (temperature, rate, drop_path) = (1.0, 0.05, 1.0);
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

    fn loss(&self, network: &Assignment) -> f64 {
        let mixes = assigned(&self.mixture.program, &self.space, network).unwrap();
        let schedule = Schedule::new(&self.mixture.program, &mixes).unwrap();
        let evaluation = self.mixture.evaluation(&schedule, &mixes, Statistics::Batch);
        no_grad(|| loss(&evaluation, &self.batch(0), Phase::Choices)).unwrap().1
    }

    /// The gradient of the expected loss, from the losses of all networks.
    fn expected(&self) -> Vec<f64> {
        let rows = self.mixture.choices.probabilities();
        let mut gradient = [vec![0.0; 3], vec![0.0; 2], vec![0.0; 2]];
        for (op, more, how) in (0..12).map(|n| (n / 4, n / 2 % 2, n % 2)) {
            let picks = [op, more, how];
            let loss = self.loss(&assignment(&self.space, &picks));
            let all: f64 = rows.iter().zip(picks).map(|(row, pick)| row[pick]).product();
            for (decision, (row, pick)) in rows.iter().zip(picks).enumerate() {
                if decision == 2 && more == 0 {
                    continue;
                }
                for (candidate, p) in row.iter().enumerate() {
                    let drawn = f64::from(u8::from(candidate == pick));
                    gradient[decision][candidate] += all * loss * (drawn - p);
                }
            }
        }
        gradient.concat()
    }
}

#[test]
fn the_mean_of_many_steps_is_the_gradient_of_the_expected_loss() {
    let mut searched = Searched::new(Mixing::Reinforce { networks: 3 });
    searched.mixture.choices.step(
        &[0.3, -0.2, 0.1, 0.2, -0.2, 0.1, -0.1],
        0.4,
        &settings(Mixing::Hard).adam,
    );
    let expected = searched.expected();
    let mut mean = vec![0.0; expected.len()];
    const STEPS: usize = 300;
    for step in 0..STEPS {
        let (_, found) =
            searched.mixture.reinforced(&searched.space, &searched.batch(step), 3).unwrap();
        mean.iter_mut().zip(found).for_each(|(mean, found)| *mean += found / STEPS as f64);
    }
    let largest = expected.iter().fold(0.0f64, |largest, g| largest.max(g.abs()));
    for (mean, expected) in mean.iter().zip(&expected) {
        assert!((mean - expected).abs() < 0.25 * largest, "{mean} {expected} of {largest}");
    }
}

/// What straight-through gradients are blind to: a decision whose result goes into a batch norm.
#[test]
fn a_decision_before_a_batch_norm_learns() {
    let searched = Searched::new(Mixing::Hard);
    let logits = searched.mixture.logits().unwrap().set_requires_grad(true);
    let mixes = searched.mixture.draw(&searched.batch(0), true, &logits).unwrap();
    let schedule = Schedule::new(&searched.mixture.program, &mixes).unwrap();
    let evaluation = searched.mixture.evaluation(&schedule, &mixes, Statistics::Batch);
    let (loss, _) = loss(&evaluation, &searched.batch(0), Phase::Choices).unwrap();
    let straight_through = logits_gradient(&loss, &logits).unwrap();
    assert!(straight_through[..3].iter().all(|g| g.abs() < 1e-5), "{straight_through:?}");

    let mut searched = Searched::new(Mixing::Reinforce { networks: 4 });
    let losses = [0, 1, 2].map(|op| searched.loss(&assignment(&searched.space, &[op, 0, 0])));
    let best = (0..3).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    let free = |p: &[Vec<f64>]| (0.0, p.iter().map(|row| vec![0.0; row.len()]).collect());
    let space = Arc::clone(&searched.space);
    let (images, targets) = (searched.images.copy(), searched.targets.values.copy());
    let targets = DeviceTargets { values: targets, criterion: searched.targets.criterion };
    for step in 0..200 {
        let (inputs, targets) = (std::slice::from_ref(&images), &targets);
        let batch = TrainBatch {
            inputs,
            targets,
            blend: None,
            taught: None,
            loss: &TrainingLoss::PLAIN,
            of: 1,
            temperature: 1.0,
            rate: 0.05,
            drop_path: 1.0,
            epoch: 0,
            step,
            draws: step,
            seed: 3,
        };
        searched.mixture.choice_step(&space, &batch, 0.0, &free).unwrap();
    }
    let learned = searched.mixture.choices.probabilities();
    assert!(learned[0][best] > 0.7, "{losses:?} {learned:?}");
}
