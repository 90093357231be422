//! One step of a supernet on random pictures: whether a space can be trained, without a data set.

use nas_compiler::Checked;
use nas_compiler::ir::{Space, Task};
use nas_compiler::recipe::{Adam, Mixing};
use nas_compiler::shape::Shape;
use tch::{Device, Kind, Tensor};

use crate::backend::{default_threads, use_threads};
use crate::dropout::Noise;
use crate::error::TorchError;
use crate::layout::channels_last;
use crate::lower::Statistics;
use crate::mixing::{Draw, Mix, of_selects};
use crate::mixture::{Mixture, Settings};
use crate::program::{Evaluation, Plan};
use crate::random::{Moment, Purpose, normal, stream};
use crate::task::{Labels, classes, ignored, mean_loss};

/// Batch norm needs more than one picture where a map is a single pixel.
const BATCH: i64 = 2;
/// A step of the choices: their gradients are wanted too.
const MOMENT: Moment = Moment { choices: true, epoch: 0, step: 0 };

/// What one step of a supernet came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The mean cross-entropy of the first output, or the mean square of all outputs where the
    /// space has no task.
    pub loss: f64,
    /// The largest gradient of a weight, without its sign.
    pub weights: f64,
    /// The largest gradient of the logit of a candidate, without its sign.
    pub choices: f64,
}

/// One pass forward and backward through the fresh supernet of a space on the processor, two
/// random pictures, one candidate of each decision, on [`default_threads`] threads.
///
/// # Errors
/// The cases of what depends on decisions cannot be listed, or libtorch fails at a node.
pub fn step(space: &Checked<Space>, seed: u64) -> Result<StepReport, TorchError> {
    use_threads(default_threads());
    let mixture = Mixture::new(space, settings(seed))?;
    mixture.parameters.require_gradients(true)?;
    let theta = mixture.theta()?.f_set_requires_grad(true)?;
    let mixes = mixes(&mixture, &theta, seed)?;
    let plan = Plan::new(&mixture.program, &mixes);
    let noise = Some(Noise { seed, moment: MOMENT, drop_path: 1.0 });
    let evaluation = Evaluation { noise, ..mixture.evaluation(&plan, &mixes, Statistics::Learn) };
    let shapes = mixture.program.inputs.iter().enumerate();
    let inputs = shapes.map(|(input, shape)| picture(*shape, seed, input));
    let outputs = evaluation.run(&inputs.collect::<Result<Vec<_>, _>>()?)?;
    let loss = loss(space.task, &outputs)?;
    let rows = mixture.program.weights(&plan).into_iter();
    let weights = rows.filter_map(|row| mixture.parameters.trainable(row));
    let weights: Vec<&Tensor> = weights.map(|(tensor, _)| tensor).collect();
    Ok(StepReport {
        loss: loss.f_double_value(&[])?,
        weights: largest_gradient(&loss, &weights)?,
        choices: largest_gradient(&loss, &[&theta])?,
    })
}

/// One candidate of each decision, by the noise of the step.
fn mixes(mixture: &Mixture, theta: &Tensor, seed: u64) -> Result<Vec<Mix>, TorchError> {
    let (mixing, device) = (Mixing::Hard, Device::Cpu);
    let draw = Draw { mixing, temperature: 1.0, seed, moment: MOMENT, batch: BATCH, device };
    of_selects(&mixture.program, &draw.mixes(&mixture.choices, theta)?)
}

/// Only what the step reads matters; the rest is of an optimiser that is not used.
fn settings(seed: u64) -> Settings {
    let adam = Adam { rate: 0.0, beta1: 0.0, beta2: 0.0, decay: 0.0 };
    let (mixing, device) = (Mixing::Hard, Device::Cpu);
    Settings { mixing, adam, momentum: 0.0, decay: 0.0, clip: None, seed, device }
}

/// Standard normal values `[BATCH, C, H, W]` for an input.
fn picture(shape: Shape, seed: u64, input: usize) -> Result<Tensor, TorchError> {
    let mut sizes = vec![BATCH];
    sizes.extend(shape.dims().iter().map(|&d| i64::from(d)));
    let count = sizes.iter().product::<i64>() as usize;
    let data = normal(&mut stream(seed, Purpose::Picture { input }), 1.0, count);
    channels_last(&Tensor::f_from_slice(&data)?.f_view(sizes.as_slice())?)
}

/// The loss for labels that go through the classes in turn.
fn loss(task: Option<Task>, outputs: &[Tensor]) -> Result<Tensor, TorchError> {
    let missing = || TorchError::broken("a network without outputs");
    let output = outputs.first().ok_or_else(missing)?;
    let Some(task) = task else {
        let squares = outputs.iter().map(|output| output.f_square()?.f_mean(Kind::Float));
        return Ok(
            Tensor::f_stack(&squares.collect::<Result<Vec<_>, _>>()?, 0)?.f_mean(Kind::Float)?
        );
    };
    let mut sizes = output.size();
    sizes.remove(1);
    let count = sizes.iter().product::<i64>();
    let labels = Tensor::f_arange(count, (Kind::Int64, Device::Cpu))?;
    let labels = labels.f_remainder(classes(task) as i64)?.f_view(sizes.as_slice())?;
    mean_loss(output, &Labels { classes: labels, ignore: ignored(task) })
}

/// The largest element, without its sign, of the gradient of the loss with respect to these; NaN
/// if one is, and 0 where the loss depends on none.
fn largest_gradient(loss: &Tensor, leaves: &[&Tensor]) -> Result<f64, TorchError> {
    if leaves.is_empty() || !loss.requires_grad() {
        return Ok(0.0);
    }
    let gradients = Tensor::f_run_backward(&[loss], leaves, true, false)?;
    let gradients = gradients.iter().filter(|gradient| gradient.defined() && gradient.numel() > 0);
    let each =
        gradients.map(|gradient| gradient.f_abs()?.f_max()).collect::<Result<Vec<_>, _>>()?;
    if each.is_empty() {
        return Ok(0.0);
    }
    Ok(Tensor::f_stack(&each, 0)?.f_max()?.f_double_value(&[])?)
}
