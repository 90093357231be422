//! Passes over the data: training steps on each batch, and scores.

use nas_data::{Batch, DataError};
use nas_ir::{Task, Tensor as Plain};
use nas_search::evaluator::{OnStep, Part, Pass, PassReport, Split, Step, Stop};
use nas_search::shared::InTurns;
use nas_search::{Fault, Metrics};
use tch::{Kind, Tensor, no_grad};

use crate::answer::Answer;
use crate::error::{Phase, TorchError};
use crate::fused::mean_cross_entropy;
use crate::judge::Judge;
use crate::layout::{of_plain, plain};
use crate::loaders::{Loaders, split_name};
use crate::network::TorchNetwork;
use crate::optimizer::Turn;
use crate::random::Moment;
use crate::statistics::Statistics;
use crate::task::{DeviceTargets, ignored};
use crate::teaching::Taught;
use crate::training_loss::{Blend, TrainingLoss};
use crate::upload::{Upload, Uploads};

/// A failure as the traits return it.
pub(crate) fn failed(error: impl Into<TorchError>) -> Stop<TorchError> {
    Stop::Failed(error.into())
}

/// A batch of a training pass on the device, and how the step on it goes.
pub(crate) struct TrainBatch<'a> {
    /// `[N, C, H, W]` for each input.
    pub(crate) inputs: &'a [Tensor],
    pub(crate) targets: &'a DeviceTargets,
    /// The other targets, where images are blended.
    pub(crate) blend: Option<&'a Blend>,
    /// What makes the loss by the targets.
    pub(crate) loss: &'a TrainingLoss,
    /// What there is to learn beside them, where there is a teacher.
    pub(crate) taught: Option<&'a Taught>,
    /// Temperature of a mixture of candidates, where there is one.
    pub(crate) temperature: f64,
    pub(crate) rate: f64,
    /// By what the rates of drop paths are multiplied.
    pub(crate) drop_path: f64,
    pub(crate) epoch: u32,
    /// The step of the pass, from 0.
    pub(crate) step: usize,
    /// Steps of the pass.
    pub(crate) of: usize,
    /// What tells its noise from that of others: the step, but of a part of a batch.
    pub(crate) draws: usize,
    /// The seed of the recipe.
    pub(crate) seed: u64,
}

impl TrainBatch<'_> {
    /// How many images it has.
    pub(crate) fn count(&self) -> u64 {
        count(self.inputs)
    }

    /// The loss of what a network answers, a number: logits, `[N, classes, H, W]` or `[N, classes]`, or the values of a
    /// regression.
    pub(crate) fn loss_of(&self, answer: &Answer) -> Result<Tensor, TorchError> {
        if let (Answer::Enlarged(enlarged), None, None) = (answer, self.taught, self.blend)
            && let Task::Segmentation { .. } = self.targets.criterion.task
            && self.loss.is_plain()
            && enlarged.map.kind() == Kind::Float
        {
            let ignored = ignored(self.targets.criterion.task);
            return mean_cross_entropy(enlarged, &self.targets.values, ignored);
        }
        let answers = &answer.tensor()?;
        let by_targets = || self.loss.of(answers, self.targets, self.blend);
        match self.taught {
            Some(taught) => taught.loss(answers, self.targets, self.blend, by_targets),
            None => by_targets(),
        }
    }
}

/// How many images `[N, C, H, W]` there are of each input.
pub(crate) fn count(inputs: &[Tensor]) -> u64 {
    inputs.first().map_or(0, |images| images.size().first().map_or(0, |&count| count as u64))
}

/// The learning rate in a step of a pass.
fn rate(pass: &Pass, step: usize, of: usize) -> f64 {
    pass.learning_rate.at(step as f64 / of.max(1) as f64)
}

/// One training pass: `learn` makes a step on each batch and returns its loss and cost. Reports
/// their means.
pub(crate) fn train(
    loaders: &mut Loaders,
    pass: &Pass,
    on_step: OnStep<'_>,
    mut learn: impl FnMut(&TrainBatch<'_>) -> Result<(f64, f64), TorchError>,
) -> Result<PassReport, Stop<TorchError>> {
    let (upload, blending, seed) = (loaders.upload(), loaders.blending(), loaders.seed);
    let profiler = loaders.profiler.clone();
    let loss = &loaders.training_loss().map_err(failed)?;
    let loader = loaders.part(pass.part).map_err(failed)?;
    let of = loader.batches();
    let mut sum = PassReport::default();
    let choices = pass.part == Part::Choices;
    let batches = Uploads::new(upload, loader.epoch(u64::from(pass.epoch)));
    for (step, batch) in batches.enumerate() {
        let batch = batch.map_err(failed)?;
        let moment = Moment { choices, epoch: pass.epoch, step };
        let (inputs, targets, blend) = blending.apply(batch, seed, moment).map_err(failed)?;
        let batch = TrainBatch {
            inputs: &inputs,
            targets: &targets,
            blend: blend.as_ref(),
            loss,
            taught: None,
            temperature: 1.0,
            rate: rate(pass, step, of),
            drop_path: pass.drop_path,
            epoch: pass.epoch,
            step,
            of,
            draws: step,
            seed,
        };
        if let Some(profiler) = &profiler {
            profiler.begins(step);
        }
        let (value, cost) = learn(&batch).map_err(failed)?;
        if let Some(profiler) = &profiler {
            profiler.ends(step, of);
        }
        sum = PassReport { loss: sum.loss + value, cost: sum.cost + cost };
        let done = step + 1;
        report(on_step, Step { done, of, loss: sum.loss / done as f64 })?;
    }
    let steps = of.max(1) as f64;
    Ok(PassReport { loss: sum.loss / steps, cost: sum.cost / steps })
}

/// A training pass over the images for the weights, with a batch of those for the choices beside each batch, as many
/// times over as it takes: `learn` makes a step on both and returns loss and cost of the weights and of the
/// choices. Reports their means.
pub(crate) fn train_in_turns(
    loaders: &mut Loaders,
    turns: &InTurns,
    on_step: OnStep<'_>,
    mut learn: impl FnMut([&TrainBatch<'_>; 2]) -> Result<[(f64, f64); 2], TorchError>,
) -> Result<[PassReport; 2], Stop<TorchError>> {
    let InTurns { pass, temperature, choices: rate_of_choices, .. } = *turns;
    let (upload, blending, seed) = (loaders.upload(), loaders.blending(), loaders.seed);
    let loss = &loaders.training_loss().map_err(failed)?;
    let epoch = u64::from(pass.epoch);
    let loader = loaders.part(pass.part).map_err(failed)?;
    let (of, batches) = (loader.batches(), Uploads::new(upload, loader.epoch(epoch)));
    let of_choices = loaders.part(Part::Choices).map_err(failed)?.epoch(epoch);
    let mut of_choices = Uploads::new(upload, of_choices);
    let mut sums = [PassReport::default(); 2];
    for (step, batch) in batches.enumerate() {
        let next = match of_choices.next() {
            Some(batch) => batch,
            None => {
                let again = loaders.part(Part::Choices).map_err(failed)?.epoch(epoch);
                of_choices = Uploads::new(upload, again);
                let none = || TorchError::broken("there are no images for the choices");
                of_choices.next().ok_or_else(|| failed(none()))?
            }
        };
        let blended = |batch: Result<_, TorchError>, choices| {
            let moment = Moment { choices, epoch: pass.epoch, step };
            blending.apply(batch.map_err(failed)?, seed, moment).map_err(failed)
        };
        let (own, others) = (blended(batch, false)?, blended(next, true)?);
        let weights = TrainBatch {
            inputs: &own.0,
            targets: &own.1,
            blend: own.2.as_ref(),
            loss,
            taught: None,
            temperature,
            rate: rate(&pass, step, of),
            drop_path: pass.drop_path,
            epoch: pass.epoch,
            step,
            of,
            draws: step,
            seed,
        };
        let choices = TrainBatch {
            inputs: &others.0,
            targets: &others.1,
            blend: others.2.as_ref(),
            rate: rate_of_choices,
            ..weights
        };
        let learned = learn([&weights, &choices]).map_err(failed)?;
        for (sum, (loss, cost)) in sums.iter_mut().zip(learned) {
            *sum = PassReport { loss: sum.loss + loss, cost: sum.cost + cost };
        }
        let done = step + 1;
        let [PassReport { loss, .. }, _] = sums;
        report(on_step, Step { done, of, loss: loss / done as f64 })?;
    }
    let steps = of.max(1) as f64;
    Ok(sums.map(|PassReport { loss, cost }| PassReport { loss: loss / steps, cost: cost / steps }))
}

impl TrainBatch<'_> {
    /// Where it stands in its pass.
    pub(crate) fn turn(&self) -> Turn {
        let Self { step, of, rate, .. } = *self;
        Turn { step, of, rate }
    }
}

fn report(on_step: OnStep<'_>, step: Step) -> Result<(), Stop<TorchError>> {
    if on_step(step).is_break() { Err(Stop::Interrupted) } else { Ok(()) }
}

/// What goes over the pictures that a network is scored on.
pub(crate) struct Exam<'a> {
    upload: Upload,
    done: usize,
    of: usize,
    loss: f64,
    /// The images that went through networks.
    pub(crate) images: u64,
    on_step: OnStep<'a>,
}

impl<'a> Exam<'a> {
    /// `of` counts all its steps.
    pub(crate) fn new(upload: Upload, of: usize, on_step: OnStep<'a>) -> Self {
        Self { upload, done: 0, of, loss: 0.0, images: 0, on_step }
    }

    fn step(&mut self, images: u64) -> Result<(), Stop<TorchError>> {
        self.done += 1;
        self.images += images;
        let Self { done, of, loss, .. } = *self;
        report(self.on_step, Step { done, of, loss })
    }

    /// Makes the running statistics of a network the means over some training batches.
    pub(crate) fn estimate(
        &mut self,
        network: &TorchNetwork,
        batches: impl Iterator<Item = Result<Batch, DataError>>,
    ) -> Result<(), Stop<TorchError>> {
        for (seen, batch) in (0..).zip(Uploads::new(self.upload, batches)) {
            let (inputs, _) = batch.map_err(failed)?;
            let evaluation = network.evaluation(Statistics::Average { seen });
            no_grad(|| evaluation.run(&inputs)).map_err(failed)?;
            self.step(count(&inputs))?;
        }
        Ok(())
    }

    /// Scores what answers on the images of a split.
    pub(crate) fn score(
        &mut self,
        examinee: &mut dyn Examinee,
        split: Split,
        batches: impl Iterator<Item = Result<Batch, DataError>>,
    ) -> Result<Metrics, Stop<TorchError>> {
        let mut judge = Judge::new(self.upload.task(), self.upload.judging);
        for (step, batch) in Uploads::new(self.upload, batches).enumerate() {
            let (inputs, targets) = batch.map_err(failed)?;
            self.loss = examine(examinee, &inputs, &targets, &mut judge, step).map_err(failed)?;
            self.step(count(&inputs))?;
        }
        let name = split_name(split).to_owned();
        if !judge.is_labelled() {
            return Err(failed(match self.upload.task() {
                Task::Segmentation { .. } | Task::Classification { .. } => {
                    DataError::NoLabels { split: name }
                }
                Task::Multilabel { .. } | Task::Regression { .. } => {
                    DataError::NoValues { split: name }
                }
            }));
        }
        // What is told in the end tells more than what is written in each epoch.
        let metrics = match split {
            Split::Val | Split::Ranking => judge.metrics(),
            Split::Test => judge.told(),
        };
        let metric = judge.primary().title();
        metrics.ok_or_else(|| failed(TorchError::Undefined { metric, split: name }))
    }
}

/// Adds a batch to what is judged; returns the mean loss so far.
fn examine(
    examinee: &mut dyn Examinee,
    inputs: &[Tensor],
    targets: &DeviceTargets,
    judge: &mut Judge,
    step: usize,
) -> Result<f64, TorchError> {
    no_grad(|| {
        let answer = examinee.answer(inputs)?;
        let loss = judge.add(&answer, targets)?;
        if loss.is_finite() {
            return Ok(loss);
        }
        let node = examinee.not_finite(inputs);
        Err(TorchError::NotFinite { phase: Phase::Scoring, epoch: 0, step, loss, node })
    })
}

/// What is scored.
pub(crate) trait Examinee {
    /// The first output for images of each input.
    fn answer(&mut self, inputs: &[Tensor]) -> Result<Tensor, TorchError>;

    /// The path of the first node whose value is not finite, where that can be told.
    fn not_finite(&self, inputs: &[Tensor]) -> Option<String>;
}

/// A network with its running statistics.
impl Examinee for &TorchNetwork {
    fn answer(&mut self, inputs: &[Tensor]) -> Result<Tensor, TorchError> {
        let outputs = self.evaluation(Statistics::Running).run(inputs)?;
        outputs.into_iter().next().ok_or_else(|| TorchError::broken("a network without outputs"))
    }

    fn not_finite(&self, inputs: &[Tensor]) -> Option<String> {
        self.evaluation(Statistics::Running).inspect(inputs)
    }
}

/// Another engine: what it answers on images `[N, C, H, W]` of each input.
pub(crate) struct Engine<'e>(pub(crate) &'e mut dyn FnMut(&[Plain]) -> Result<Plain, Fault>);

impl Examinee for Engine<'_> {
    fn answer(&mut self, inputs: &[Tensor]) -> Result<Tensor, TorchError> {
        let inputs: Vec<Plain> = inputs.iter().map(plain).collect::<Result<_, TorchError>>()?;
        let answer = (self.0)(&inputs);
        of_plain(&answer.map_err(|fault| TorchError::engine(fault.as_ref()))?)
    }

    fn not_finite(&self, _: &[Tensor]) -> Option<String> {
        None
    }
}

/// Scores a network on a split; with how many images that took.
pub(crate) fn score(
    loaders: &mut Loaders,
    examinee: &mut dyn Examinee,
    split: Split,
    on_step: OnStep<'_>,
) -> Result<(Metrics, u64), Stop<TorchError>> {
    let of = loaders.split(split).map_err(failed)?.batches();
    let mut exam = Exam::new(loaders.upload(), of, on_step);
    let batches = loaders.split(split).map_err(failed)?.epoch(0);
    let metrics = exam.score(examinee, split, batches)?;
    Ok((metrics, exam.images))
}
