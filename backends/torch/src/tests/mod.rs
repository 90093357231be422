//! Small spaces and networks, made by hand or from text, and what the tests ask of them.

pub(crate) mod build;
mod calibrate;
mod distillation;
mod forecast;
mod gradients;
mod kernels;
mod loaders;
mod losses;
mod masks;
mod ops;
mod optimizers;
mod program;
mod rehearsal;
mod reinforce;
mod rounding;
mod search;
pub(crate) mod source;
mod supernet;
mod sweep;
mod teaching;
mod train_outputs;
mod training;
mod training_loss;
mod transforms;
mod varied;

use nas_ir::recipe::{Recipe, Training};
use nas_search::strategies::gumbel;
use tch::Tensor;

use crate::error::{Phase, TorchError};
use crate::evaluation::Evaluation;
use crate::learned::learned;
use crate::passes::TrainBatch;
use crate::task::DeviceTargets;
use crate::training_loss::TrainingLoss;

/// Stochastic gradient descent.
fn sgd(momentum: f64, decay: f64) -> Training {
    let Recipe { weights, .. } = Recipe::default_for("s", &gumbel::SCHEMA).unwrap();
    Training { momentum, decay, ..weights }
}

/// The loss of a batch in training, as a tensor and as a number.
fn loss(
    evaluation: &Evaluation<'_>,
    batch: &TrainBatch<'_>,
    phase: Phase,
) -> Result<(Tensor, f64), TorchError> {
    let learned = learned(&[(None, *evaluation)], batch, phase)?;
    let value = learned.value(batch)?;
    Ok((learned.loss, value))
}

/// A batch of images of one input, as a step of a search has it.
fn batch<'a>(images: &'a Tensor, targets: &'a DeviceTargets, step: usize) -> TrainBatch<'a> {
    TrainBatch {
        inputs: std::slice::from_ref(images),
        targets,
        blend: None,
        taught: None,
        loss: &TrainingLoss::PLAIN,
        temperature: 1.0,
        rate: 0.05,
        drop_path: 1.0,
        epoch: 0,
        step,
        draws: step,
        of: 1,
        seed: 3,
    }
}
