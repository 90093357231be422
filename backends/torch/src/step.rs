//! Steps of a supernet on random pictures: whether a space can be trained, without a data set.

use nas_ir::ops::Role;
use nas_ir::recipe::{Recipe, Training};
use nas_ir::{Assignment, Checked, Shape, Space, Task};
use nas_search::shared::{Adam, Mixing};
use nas_search::strategies::gumbel;
use tch::{Device, Kind, Tensor, no_grad};

use crate::error::TorchError;
use crate::evaluation::Evaluation;
use crate::kernel::Noise;
use crate::layout::channels_last;
use crate::mixing::{Mix, of_selects, straight_through};
use crate::mixture::{Mixture, Settings};
use crate::parameters::Parameters;
use crate::plan::Plan;
use crate::random::{Moment, Purpose, normal, stream};
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets, classes, mean_loss};
use crate::threads::{default_threads, use_threads};

/// Batch norm needs more than one picture where a map is a single pixel.
const BATCH: i64 = 2;
/// A step of the choices: their gradients are wanted too.
const MOMENT: Moment = Moment { choices: true, epoch: 0, step: 0 };
/// How far [`Trial::effect`] moves the elements of a tensor, as a standard deviation.
const NUDGE: f64 = 1e-2;
/// How far [`Trial::apart`] moves the shifts of batch norms, whose results have a standard deviation of 1: to the middle of
/// what `relu6` lets through, and below all of it.
const UP: f64 = 3.0;
const DOWN: f64 = -5.0;

/// A fresh supernet on the processor, and two random pictures for it.
pub struct Trial<'a> {
    space: &'a Checked<Space>,
    seed: u64,
    mixture: Mixture,
    logits: Tensor,
    pictures: Vec<Tensor>,
}

/// What one step of a supernet came to.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// The mean loss of the first output for targets that are made up, or the mean square of all outputs where the
    /// space has no task.
    pub loss: f64,
    /// The largest gradient, without its sign, of each trainable tensor that the step reads, by
    /// the tensor's name.
    pub weights: Vec<(String, f64)>,
    /// The largest gradient, without its sign, of the logits of each decision.
    pub choices: Vec<f64>,
}

/// How far a step in single precision is from the same in double: differences over the norm of what they are of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Apart {
    /// Of the loss.
    pub loss: f64,
    /// The largest of a tensor's gradient, and that tensor. What is but rounding is held against a tenth of what most
    /// tensors have.
    pub gradient: (f64, String),
    /// The largest of a running statistic.
    pub statistic: f64,
}

/// What a step computes.
struct Computed {
    loss: f64,
    gradients: Vec<(String, Option<Tensor>)>,
    statistics: Vec<Tensor>,
}

impl<'a> Trial<'a> {
    /// The supernet of a space with weights of a seed, to be run on [`default_threads`] threads.
    ///
    /// # Errors
    /// The cases of what depends on decisions cannot be listed, or libtorch fails.
    pub fn new(space: &'a Checked<Space>, seed: u64) -> Result<Self, TorchError> {
        nas_autograd::keep_memory();
        use_threads(default_threads());
        let recipe = Recipe::default_for(&space.name, &gumbel::SCHEMA);
        let recipe = recipe.map_err(|error| TorchError::broken(error.to_string()))?;
        let mixture = Mixture::new(space, settings(seed, recipe.weights))?;
        mixture.parameters.require_gradients(true)?;
        let logits = mixture.logits()?.f_set_requires_grad(true)?;
        let inputs = mixture.program.inputs.iter().enumerate();
        let pictures = inputs.map(|(input, shape)| picture(*shape, seed, input));
        let pictures = pictures.collect::<Result<_, _>>()?;
        Ok(Self { space, seed, mixture, logits, pictures })
    }

    /// What could not be proved of the supernet, in words: its conditions outgrew their tables.
    #[must_use]
    pub fn unproved(&self) -> &[String] {
        &self.mixture.program.unproved
    }

    /// One pass forward and backward with these candidates, no paths dropped. The weights stay as
    /// they are.
    ///
    /// # Errors
    /// libtorch fails at a node.
    pub fn step(&self, assignment: &Assignment) -> Result<StepReport, TorchError> {
        let mixes = self.mixes(assignment)?;
        let schedule = Schedule::new(&self.mixture.program, &mixes)?;
        let loss = self.loss(&schedule, &mixes)?;
        let (names, mut leaves): (Vec<String>, Vec<&Tensor>) =
            self.trainable(&schedule)?.into_iter().unzip();
        leaves.push(&self.logits);
        let mut gradients = gradients(&loss, &leaves)?;
        let of_logits = gradients.pop().flatten();
        let weights = gradients.iter().map(|gradient| largest(gradient.as_ref()));
        let weights = weights.collect::<Result<Vec<_>, _>>()?;
        Ok(StepReport {
            loss: loss.f_double_value(&[])?,
            weights: names.into_iter().zip(weights).collect(),
            choices: self.of_decisions(of_logits.as_ref())?,
        })
    }

    /// How far a step with layers that are computed together is from one in double precision, and one operator by
    /// operator likewise. The shifts of batch norms are moved away from 0 for it, so that it hardly depends on rounding on
    /// which side of a bound a value lies.
    ///
    /// # Errors
    /// libtorch fails at a node.
    pub fn apart(&self, assignment: &Assignment) -> Result<[Apart; 2], TorchError> {
        let mixes = self.mixes(assignment)?;
        let schedule = Schedule::new(&self.mixture.program, &mixes)?;
        let mut own = Mixture::new(self.space, self.mixture.settings.clone())?;
        no_grad(|| decide(&own.parameters))?;
        own.parameters.require_gradients(true)?;
        let step = |own: &Mixture, plan: &Plan, kind| {
            let pictures = self.pictures.iter().map(|picture| picture.f_to_kind(kind));
            let pictures = pictures.collect::<Result<Vec<_>, _>>()?;
            self.computed(own, (&schedule, &mixes), plan, &pictures)
        };
        let plan = || Plan::new(&self.mixture.program, Device::Cpu);
        let found =
            [step(&own, &plan()?, Kind::Float)?, step(&own, &plan()?.unfused(), Kind::Float)?];
        own.parameters.make_double();
        own.parameters.require_gradients(true)?;
        let wanted = step(&own, &plan()?.unfused(), Kind::Double)?;
        let [fused, plain] = found.map(|found| found.apart(&wanted));
        Ok([fused?, plain?])
    }

    /// A step of a supernet by a plan; the running statistics stay as they are.
    fn computed(
        &self,
        own: &Mixture,
        (schedule, mixes): (&Schedule, &[Mix]),
        plan: &Plan,
        pictures: &[Tensor],
    ) -> Result<Computed, TorchError> {
        let (mut running, mut names, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
        for id in schedule.parameters(&own.program) {
            let (spec, tensor) = (own.parameters.spec(id)?, own.parameters.tensor(id)?);
            if spec.role.is_trainable() {
                names.push(spec.name.clone());
                leaves.push(tensor);
            } else {
                running.push((tensor, tensor.copy()));
            }
        }
        let noise = Some(Noise { seed: self.seed, moment: MOMENT, drop_path: 0.0 });
        let evaluation = own.evaluation(schedule, mixes, Statistics::Learn);
        let outputs = Evaluation { noise, plan, ..evaluation }.run(pictures)?;
        let loss = loss(self.space.task, &outputs)?;
        let gradients = gradients(&loss, &leaves)?;
        let statistics = running.iter().map(|(tensor, _)| tensor.copy()).collect();
        for (tensor, before) in &running {
            no_grad(|| tensor.shallow_clone().f_copy_(before))?;
        }
        let gradients = names.into_iter().zip(gradients).collect();
        Ok(Computed { loss: loss.f_double_value(&[])?, gradients, statistics })
    }

    /// By how much the loss of a step changes if this tensor moves a little: not at all, whatever
    /// the gradient, if it is a bias before a batch norm, or all that reads it is rectified.
    ///
    /// # Errors
    /// libtorch fails at a node.
    pub fn effect(&self, assignment: &Assignment, tensor: &str) -> Result<f64, TorchError> {
        let mixes = self.mixes(assignment)?;
        let schedule = Schedule::new(&self.mixture.program, &mixes)?;
        let mut read = self.trainable(&schedule)?.into_iter();
        let Some((name, tensor)) = read.find(|(name, _)| name == tensor) else { return Ok(0.0) };
        let mut numbers = stream(!self.seed, Purpose::Weight { name: &name });
        let nudge = Tensor::f_from_slice(&normal(&mut numbers, NUDGE, tensor.numel()))?;
        no_grad(|| {
            let (before, mut tensor) = (tensor.copy(), tensor.shallow_clone());
            let loss = self.loss(&schedule, &mixes)?.f_double_value(&[])?;
            let _ = tensor.f_add_(&nudge.f_view_as(&before)?)?;
            let moved = self.loss(&schedule, &mixes)?.f_double_value(&[])?;
            tensor.f_copy_(&before)?;
            Ok((moved - loss).abs())
        })
    }

    /// The trainable tensors that a step reads, with their names.
    fn trainable(&self, schedule: &Schedule) -> Result<Vec<(String, &Tensor)>, TorchError> {
        let parameters = &self.mixture.parameters;
        let read = parameters.all_trainable(schedule.parameters(&self.mixture.program))?;
        let named = read.into_iter();
        named.map(|(id, tensor, _)| Ok((parameters.spec(id)?.name.clone(), tensor))).collect()
    }

    fn loss(&self, schedule: &Schedule, mixes: &[Mix]) -> Result<Tensor, TorchError> {
        let Self { space, seed, mixture, pictures, .. } = self;
        let noise = Some(Noise { seed: *seed, moment: MOMENT, drop_path: 0.0 });
        let evaluation = mixture.evaluation(schedule, mixes, Statistics::Batch);
        loss(space.task, &Evaluation { noise, ..evaluation }.run(pictures)?)
    }

    /// One candidate of each decision, with the gradients of a hard choice.
    fn mixes(&self, assignment: &Assignment) -> Result<Vec<Mix>, TorchError> {
        let mut mixes = Vec::new();
        for ((id, _), logits) in self.space.decision_ids().zip(self.by_decision(&self.logits)?) {
            let candidate = assignment.get(id);
            let weights = logits.f_softmax(0, Kind::Float)?.f_unsqueeze(0)?;
            let factor = straight_through(&weights, candidate as i64)?;
            mixes.push(Mix::One { candidate, factor });
        }
        of_selects(&self.mixture.program, &mixes)
    }

    /// The part of each decision of what the logits have.
    fn by_decision(&self, of_logits: &Tensor) -> Result<Vec<Tensor>, TorchError> {
        let lengths = self.space.decisions.iter().map(|decision| decision.candidates.len() as i64);
        Ok(of_logits.f_split_with_sizes(lengths.collect::<Vec<_>>(), 0)?)
    }

    fn of_decisions(&self, gradient: Option<&Tensor>) -> Result<Vec<f64>, TorchError> {
        let Some(gradient) = gradient else { return Ok(vec![0.0; self.space.decisions.len()]) };
        self.by_decision(gradient)?.iter().map(|part| largest(Some(part))).collect()
    }
}

/// Only what the step reads matters; the rest is of an optimiser that is not used.
fn settings(seed: u64, training: Training) -> Settings {
    let adam = Adam { beta1: 0.0, beta2: 0.0, decay: 0.0 };
    let (mixing, device) = (Mixing::Hard, Device::Cpu);
    Settings { mixing, adam, training, clip: None, seed, device, fuses: true }
}

/// Standard normal values `[BATCH, C, H, W]` for an input.
fn picture(shape: Shape, seed: u64, input: usize) -> Result<Tensor, TorchError> {
    let mut sizes = vec![BATCH];
    sizes.extend(shape.dims().iter().map(|&d| i64::from(d)));
    let count = sizes.iter().product::<i64>() as usize;
    let data = normal(&mut stream(seed, Purpose::Picture { input }), 1.0, count);
    channels_last(&Tensor::f_from_slice(&data)?.f_view(sizes.as_slice())?)
}

/// The loss for labels that go through the classes in turn, or for values of 0 and 1 in turn.
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
    if let Task::Multilabel { .. } | Task::Regression { .. } = task {
        let values = Tensor::f_arange(output.numel() as i64, (Kind::Float, Device::Cpu))?;
        let values = values.f_remainder(2)?.f_view(sizes.as_slice())?;
        return mean_loss(output, &DeviceTargets { values, criterion: Criterion::of(task) });
    }
    sizes.remove(1);
    let count = sizes.iter().product::<i64>();
    let labels = Tensor::f_arange(count, (Kind::Int64, Device::Cpu))?;
    let labels = labels.f_remainder(classes(task) as i64)?.f_view(sizes.as_slice())?;
    mean_loss(output, &DeviceTargets { values: labels, criterion: Criterion::of(task) })
}

/// The gradient of the loss with respect to each of these, if it depends on it.
fn gradients(loss: &Tensor, leaves: &[&Tensor]) -> Result<Vec<Option<Tensor>>, TorchError> {
    if !loss.requires_grad() {
        return Ok(leaves.iter().map(|_| None).collect());
    }
    let gradients = Tensor::f_run_backward(&[loss], leaves, false, false)?;
    Ok(gradients.into_iter().map(|gradient| Some(gradient).filter(Tensor::defined)).collect())
}

impl Computed {
    /// How far it is from what is wanted.
    fn apart(&self, wanted: &Self) -> Result<Apart, TorchError> {
        let loss = over((self.loss - wanted.loss).abs(), wanted.loss.abs());
        let mut apart = Apart { loss, ..Apart::default() };
        for (found, wanted) in self.statistics.iter().zip(&wanted.statistics) {
            apart.statistic = apart.statistic.max(distance(found, wanted, 0.0)?);
        }
        let mut norms = Vec::new();
        for (_, gradient) in &wanted.gradients {
            norms.push(gradient.as_ref().map_or(Ok(0.0), norm)?);
        }
        norms.sort_by(f64::total_cmp);
        let least = 0.1 * norms.get(norms.len() / 2).copied().unwrap_or_default();
        for ((name, found), (_, wanted)) in self.gradients.iter().zip(&wanted.gradients) {
            let own = match (found, wanted) {
                (Some(found), Some(wanted)) => distance(found, wanted, least)?,
                (None, None) => 0.0,
                (Some(_), None) | (None, Some(_)) => f64::INFINITY,
            };
            if own > apart.gradient.0 {
                apart.gradient = (own, name.clone());
            }
        }
        Ok(apart)
    }
}

/// Moves the shifts of batch norms, up and down in turn.
fn decide(parameters: &Parameters) -> Result<(), TorchError> {
    for (id, spec) in parameters.specs() {
        if spec.role == Role::Shift {
            let signs = Tensor::f_arange(spec.elements(), (Kind::Float, Device::Cpu))?;
            let signs = signs.f_remainder(2)?.f_mul_scalar(DOWN - UP)?.f_add_scalar(UP)?;
            let _ = parameters.tensor(id)?.detach().f_add_(&signs)?;
        }
    }
    Ok(())
}

/// How far a tensor is from another, over the norm of that, or over this if it is larger.
fn distance(found: &Tensor, wanted: &Tensor, least: f64) -> Result<f64, TorchError> {
    Ok(over(norm(&found.f_sub(wanted)?)?, norm(wanted)?.max(least)))
}

/// The quotient; nothing is no share of nothing.
fn over(part: f64, whole: f64) -> f64 {
    if part == 0.0 { 0.0 } else { part / whole }
}

fn norm(tensor: &Tensor) -> Result<f64, TorchError> {
    Ok(tensor.f_to_kind(Kind::Double)?.f_norm()?.f_double_value(&[])?)
}

/// The largest element, without its sign; NaN if one is, and 0 where there is none.
fn largest(gradient: Option<&Tensor>) -> Result<f64, TorchError> {
    match gradient.filter(|gradient| gradient.numel() > 0) {
        Some(gradient) => Ok(gradient.f_abs()?.f_max()?.f_double_value(&[])?),
        None => Ok(0.0),
    }
}
