//! A supernet as tensors: weights of every candidate, logits of every decision, one step at a time.

use std::collections::BTreeSet;

use nas_ir::recipe::Training;
use nas_ir::{Assignment, Checked, Space, Weights};
use nas_passes::specialise;
use nas_search::shared::{Adam, Lesson, Mixing, Sharing};
use nas_search::work::Work;
use tch::{Device, Tensor, no_grad};

use crate::choices::Choices;
use crate::error::{Phase, TorchError};
use crate::evaluation::Evaluation;
use crate::forecast::Fit;
use crate::fused::Part;
use crate::layout::on;
use crate::learned::{Learned, LearnedParts, in_parts, learned};
use crate::mixing::{Draw, Mix, Run, assigned, runs};
use crate::network::TorchNetwork;
use crate::optimizer::{Descent, Gradients, Optimizer};
use crate::parameters::Parameters;
use crate::passes::TrainBatch;
use crate::patterns::Patterns;
use crate::plan::Plan;
use crate::portion::Portion;
use crate::program::{ParameterId, Program};
use crate::random::Moment;
use crate::reinforce;
use crate::schedule::Schedule;
use crate::statistics::Statistics;

/// How far apart weights are held to tell second derivatives, over the norm of the direction (DARTS, Liu et al.
/// 2019, footnote of equation 8).
const DIFFERENCE: f64 = 0.01;

/// What stays the same over a search.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) mixing: Mixing,
    pub(crate) adam: Adam,
    /// How the weights learn.
    pub(crate) training: Training,
    /// Largest norm of the gradient of the weights.
    pub(crate) clip: Option<f64>,
    pub(crate) seed: u64,
    pub(crate) device: Device,
    /// Whether layers are computed together.
    pub(crate) fuses: bool,
}

/// The expected cost for the probabilities of each candidate of each decision, and its gradient
/// with respect to each of them.
pub(crate) type Expected<'a> = &'a dyn Fn(&[Vec<f64>]) -> (f64, Vec<Vec<f64>>);

/// The supernet of a space.
pub(crate) struct Mixture {
    pub(crate) program: Program,
    plan: Plan,
    pub(crate) parameters: Parameters,
    pub(crate) choices: Choices,
    optimizer: Optimizer,
    pub(crate) settings: Settings,
}

impl Mixture {
    /// The supernet of a space, freshly initialised.
    ///
    /// # Errors
    /// The cases of what depends on decisions cannot be listed.
    pub(crate) fn new(space: &Checked<Space>, settings: Settings) -> Result<Self, TorchError> {
        let choices = match settings.mixing {
            Mixing::Masked => Choices::masked(space),
            _ => Choices::new(space),
        };
        Self::with(program(space, settings.mixing)?, choices, settings)
    }

    /// The same without logits, to be trained on networks that it is given: nothing is mixed.
    ///
    /// # Errors
    /// As `new`.
    pub(crate) fn on_paths(
        space: &Checked<Space>,
        settings: Settings,
        sharing: Sharing,
    ) -> Result<Self, TorchError> {
        Self::with(program_on_paths(space, sharing)?, Choices::none(), settings)
    }

    fn with(program: Program, choices: Choices, settings: Settings) -> Result<Self, TorchError> {
        let plan = Plan::new(&program, settings.device)?;
        let plan = if settings.fuses { plan } else { plan.unfused() };
        let plan = plan.training_in(settings.training.precision);
        let mut parameters = Parameters::new(&program.parameters, settings.seed, settings.device)?;
        parameters.begin(settings.training.initial, settings.seed)?;
        if let Some(freeze) = &settings.training.freeze {
            parameters.freeze(&Patterns::of(freeze));
        }
        let optimizer = Optimizer::new(&parameters, &settings.training, settings.clip)?;
        Ok(Self { program, plan, parameters, choices, optimizer, settings })
    }

    /// The same with less memory.
    ///
    /// # Errors
    /// A fault of this crate.
    pub(crate) fn fitting(self, fit: Fit) -> Result<Self, TorchError> {
        Ok(Self { plan: self.plan.fitting(fit, &self.program)?, ..self })
    }

    /// The same, where a part of what has operators computed together is left out.
    pub(crate) fn without(self, part: Part) -> Result<Self, TorchError> {
        Ok(Self { plan: self.plan.without(part, &self.program)?, ..self })
    }

    /// Takes weights to begin with, as far as they fit.
    pub(crate) fn begin_with(&mut self, weights: &Weights) -> Result<(), TorchError> {
        self.parameters.load_what_fits(weights)?;
        self.optimizer.begin(&self.parameters)
    }

    /// One step of the weights with the choices fixed; returns the loss before it.
    pub(crate) fn weight_step(&mut self, batch: &TrainBatch<'_>) -> Result<f64, TorchError> {
        let mixes = self.drawn(batch, false, &self.logits()?)?;
        self.mixed_step(batch, mixes)
    }

    /// The same where each decision does this.
    pub(crate) fn mixed_step(
        &mut self,
        batch: &TrainBatch<'_>,
        mixes: Vec<Mix>,
    ) -> Result<f64, TorchError> {
        let (gradients, learned) = self.mixed_gradients(batch, mixes)?;
        self.optimizer.take_in(&self.parameters, gradients, batch.turn())?;
        learned.value(batch)
    }

    /// The gradients of that step, and what it learned from.
    pub(crate) fn mixed_gradients(
        &self,
        batch: &TrainBatch<'_>,
        mixes: Vec<Mix>,
    ) -> Result<(Gradients, LearnedParts), TorchError> {
        let runs = self.scheduled(mixes)?;
        let mut descent = Descent::open(&self.parameters, self.read(&runs))?;
        let learn =
            |part: &TrainBatch<'_>, images| self.mixed_part(&runs, (part, images), Phase::Weights);
        let learned = in_parts(batch, self.plan.parts, learn, |loss| descent.add(loss))?;
        Ok((descent.close()?, learned))
    }

    /// One step of the weights on networks that are given, down the gradient of their summed loss;
    /// returns the mean before it of what the labels say of them.
    pub(crate) fn path_step(
        &mut self,
        space: &Space,
        batch: &TrainBatch<'_>,
        paths: &[Assignment],
        lesson: Lesson,
    ) -> Result<f64, TorchError> {
        let (gradients, learned) = self.path_gradients(space, batch, paths, lesson)?;
        self.optimizer.take_in(&self.parameters, gradients, batch.turn())?;
        let values = learned.iter().map(|learned| learned.value(batch));
        Ok(values.sum::<Result<f64, _>>()? / learned.len() as f64)
    }

    /// The gradients of that step, and what it learned from each network.
    pub(crate) fn path_gradients(
        &self,
        space: &Space,
        batch: &TrainBatch<'_>,
        paths: &[Assignment],
        lesson: Lesson,
    ) -> Result<(Gradients, Vec<LearnedParts>), TorchError> {
        if paths.is_empty() {
            return Err(TorchError::broken("a step without a network"));
        }
        let (mut gradients, mut all, mut teacher) = (Gradients::default(), Vec::new(), None);
        for assignment in paths {
            let mixes = assigned(&self.program, space, assignment)?;
            let schedule = Schedule::new(&self.program, &mixes)?;
            let evaluation = self.evaluation(&schedule, &mixes, Statistics::Learn);
            let evaluations = [(None, evaluation)];
            // What the first one answers for each part.
            let mut answers = Vec::new();
            let learn = |part: &TrainBatch<'_>, images: Portion| {
                let learned = learned(&evaluations, part, Phase::Weights)?;
                if lesson == Lesson::First && teacher.is_none() {
                    answers.push(learned.logits.tensor()?.f_detach()?);
                }
                match &teacher {
                    Some(teacher) => learned.taught_by(&images.of(teacher)?, part),
                    None => Ok(learned),
                }
            };
            let read = schedule.parameters(&self.program);
            let mut descent = Descent::open(&self.parameters, read)?;
            let parts = in_parts(batch, self.plan.parts, learn, |loss| descent.add(loss))?;
            gradients = gradients.plus(descent.close()?)?;
            if !answers.is_empty() {
                teacher = Some(Tensor::f_cat(&answers, 0)?);
            }
            all.push(parts);
        }
        Ok((gradients, all))
    }

    /// One step of the choices with the weights fixed: down the gradient of
    /// `cross-entropy + factor * expected cost`. Batch norm takes the statistics of the batch and
    /// leaves the running ones. Returns the cross-entropy and the expected cost before the step.
    pub(crate) fn choice_step(
        &mut self,
        space: &Checked<Space>,
        batch: &TrainBatch<'_>,
        factor: f64,
        expected: Expected<'_>,
    ) -> Result<(f64, f64), TorchError> {
        let (value, gradient) = match self.settings.mixing {
            Mixing::Reinforce { networks } => self.reinforced(space, batch, networks)?,
            _ => self.choice_gradient(batch)?,
        };
        let cost = self.descend(gradient, batch.rate, factor, expected);
        Ok((value, cost))
    }

    /// What such a step on so many images takes.
    pub(crate) fn choice_work(&self, images: u64) -> Work {
        match self.settings.mixing {
            Mixing::Reinforce { networks } => Work::forward(images).times(networks.into()),
            Mixing::Soft | Mixing::Masked | Mixing::Softmax | Mixing::Hard | Mixing::TwoPaths => {
                Work::training(images)
            }
        }
    }

    /// The same for the weights after one step on a batch of their own, which is not made: with the gradient of
    /// DARTS (Liu et al. 2019, equation 7), the second derivatives in it by finite differences (equation 8). All
    /// parameters must require gradients.
    pub(crate) fn unrolled_choice_step(
        &mut self,
        [weights, choices]: [&TrainBatch<'_>; 2],
        factor: f64,
        expected: Expected<'_>,
    ) -> Result<(f64, f64), TorchError> {
        let here = no_grad(|| self.parameters.flat().f_detach_copy())?;
        let found = self.unrolled_gradient(weights, choices, &here);
        no_grad(|| Ok::<_, TorchError>(self.parameters.flat().shallow_clone().f_copy_(&here)?))?;
        let (value, gradient) = found?;
        let cost = self.descend(gradient, choices.rate, factor, expected);
        Ok((value, cost))
    }

    /// The loss of the choices after a step of the weights from `here`, and its gradient with respect to the logits.
    /// Leaves the weights anywhere.
    pub(crate) fn unrolled_gradient(
        &self,
        weights: &TrainBatch<'_>,
        choices: &TrainBatch<'_>,
        here: &Tensor,
    ) -> Result<(f64, Vec<f64>), TorchError> {
        let move_to = |place: Result<Tensor, tch::TchError>| {
            no_grad(|| {
                Ok::<_, TorchError>(self.parameters.flat().shallow_clone().f_copy_(&place?)?)
            })
        };
        let (_, [by_weights, _]) = self.gradients(weights)?;
        let step = self.optimizer.direction(&self.parameters, &by_weights)?;
        move_to(here.f_sub(&step.f_mul_scalar(weights.rate)?))?;
        let (value, [ahead, mut gradient]) = self.gradients(choices)?;
        let norm = ahead.f_norm()?.f_double_value(&[])?;
        if norm > 0.0 {
            let distance = DIFFERENCE / norm;
            let offset = ahead.f_mul_scalar(distance)?;
            move_to(here.f_add(&offset))?;
            let (_, [_, above]) = self.gradients(weights)?;
            move_to(here.f_sub(&offset))?;
            let (_, [_, below]) = self.gradients(weights)?;
            let second = above.f_sub(&below)?.f_mul_scalar(weights.rate / (2.0 * distance))?;
            gradient = gradient.f_sub(&second)?;
        }
        let gradient = crate::layout::values(&gradient)?.into_iter().map(f64::from).collect();
        Ok((value, gradient))
    }

    /// The loss of a batch as mixed for the choices, and its gradients with respect to all weights and to the logits.
    fn gradients(&self, batch: &TrainBatch<'_>) -> Result<(f64, [Tensor; 2]), TorchError> {
        let logits = self.logits()?.f_set_requires_grad(true)?;
        let read = self.read(&self.runs(batch, true, &logits)?);
        let mut sums = [self.parameters.flat().f_zeros_like()?, logits.f_zeros_like()?];
        let learned = in_parts(batch, self.plan.parts, self.choosing(batch, &logits), |loss| {
            let read = read.iter().copied();
            let own = self.optimizer.gradient(&self.parameters, read, loss, &logits)?;
            for (sum, own) in sums.iter_mut().zip(&own) {
                let _ = no_grad(|| sum.f_add_(own))?;
            }
            Ok(())
        })?;
        Ok((learned.value(batch)?, sums))
    }

    /// The loss of a batch as mixed for the choices, and its gradient with respect to the logits.
    fn choice_gradient(&self, batch: &TrainBatch<'_>) -> Result<(f64, Vec<f64>), TorchError> {
        let logits = self.logits()?.f_set_requires_grad(true)?;
        let mut sum = vec![0.0; logits.numel()];
        let learned = in_parts(batch, self.plan.parts, self.choosing(batch, &logits), |loss| {
            let own = logits_gradient(loss, &logits)?;
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            Ok(())
        })?;
        Ok((learned.value(batch)?, sum))
    }

    /// The mean loss of so many networks that are drawn from the probabilities, and the gradient of the expected loss with
    /// respect to the logits.
    pub(crate) fn reinforced(
        &self,
        space: &Checked<Space>,
        batch: &TrainBatch<'_>,
        networks: u32,
    ) -> Result<(f64, Vec<f64>), TorchError> {
        let moment = Moment { choices: true, epoch: batch.epoch, step: batch.step };
        let drawn = reinforce::draw(&self.choices, space, (batch.seed, moment), networks);
        let judged = drawn.into_iter().map(|network| {
            let mixes = assigned(&self.program, space, &network)?;
            let schedule = Schedule::new(&self.program, &mixes)?;
            let evaluation = self.evaluation(&schedule, &mixes, Statistics::Batch);
            let evaluations = [(None, evaluation)];
            Ok((network, no_grad(|| learned(&evaluations, batch, Phase::Choices)?.told())?))
        });
        let judged = judged.collect::<Result<Vec<_>, TorchError>>()?.into_iter();
        let judged = judged.map(|(network, learned)| Ok((network, learned.value(batch)?)));
        let judged = judged.collect::<Result<Vec<_>, TorchError>>()?;
        let gradient = reinforce::gradient(&self.choices, space, &judged);
        Ok((reinforce::mean_loss(&judged), gradient))
    }

    /// A step of the choices down a gradient of the loss and that of the cost; returns the expected cost before it.
    fn descend(
        &mut self,
        mut gradient: Vec<f64>,
        rate: f64,
        factor: f64,
        expected: Expected<'_>,
    ) -> f64 {
        let (cost, by_probability) = expected(&self.choices.probabilities());
        for (sum, part) in gradient.iter_mut().zip(self.choices.through_softmax(&by_probability)) {
            *sum += factor * part;
        }
        self.choices.step(&gradient, rate, &self.settings.adam);
        cost
    }

    /// The logits on the device.
    pub(crate) fn logits(&self) -> Result<Tensor, TorchError> {
        on(self.settings.device, Tensor::f_from_slice(&self.choices.logits())?)
    }

    /// What runs in a step.
    fn runs(
        &self,
        batch: &TrainBatch<'_>,
        choices: bool,
        logits: &Tensor,
    ) -> Result<Vec<(Run, Schedule)>, TorchError> {
        self.scheduled(self.drawn(batch, choices, logits)?)
    }

    /// What runs where each decision does this.
    fn scheduled(&self, mixes: Vec<Mix>) -> Result<Vec<(Run, Schedule)>, TorchError> {
        let runs = runs(&self.program, &self.choices, mixes)?.into_iter();
        let scheduled = runs.map(|run| {
            let schedule = Schedule::new(&self.program, &run.mixes)?;
            Ok((run, schedule))
        });
        scheduled.collect()
    }

    /// The first output of a step of the choices.
    #[cfg(test)]
    pub(crate) fn mixed_output(
        &self,
        batch: &TrainBatch<'_>,
        logits: &Tensor,
    ) -> Result<Tensor, TorchError> {
        let runs = self.runs(batch, true, logits)?;
        let all = Portion::all(batch.count() as i64);
        self.mixed_part(&runs, (batch, all), Phase::Choices)?.logits.tensor()
    }

    /// What each select does in a step in which no decision is on sizes.
    #[cfg(test)]
    pub(crate) fn draw(
        &self,
        batch: &TrainBatch<'_>,
        choices: bool,
        logits: &Tensor,
    ) -> Result<Vec<Mix>, TorchError> {
        crate::mixing::of_selects(&self.program, &self.drawn(batch, choices, logits)?)
    }

    /// The mixture of each decision in a step.
    pub(crate) fn drawn(
        &self,
        batch: &TrainBatch<'_>,
        choices: bool,
        logits: &Tensor,
    ) -> Result<Vec<Mix>, TorchError> {
        let no_batch = || TorchError::broken("images without a batch");
        let sizes = batch.inputs.first().map(Tensor::size).unwrap_or_default();
        let draw = Draw {
            mixing: self.settings.mixing,
            temperature: batch.temperature,
            seed: self.settings.seed,
            moment: Moment { choices, epoch: batch.epoch, step: batch.step },
            batch: sizes.first().copied().ok_or_else(no_batch)?,
            device: self.settings.device,
        };
        draw.mixes(&self.choices, logits)
    }

    /// The parameters that runs read.
    fn read(&self, runs: &[(Run, Schedule)]) -> BTreeSet<ParameterId> {
        runs.iter().flat_map(|(_, schedule)| schedule.parameters(&self.program)).collect()
    }

    /// Learns from a part of a batch, mixed for the choices: what is drawn is the same for all parts, each of which has its own way
    /// back to the logits.
    fn choosing<'a>(
        &'a self,
        batch: &'a TrainBatch<'_>,
        logits: &'a Tensor,
    ) -> impl Fn(&TrainBatch<'_>, Portion) -> Result<Learned, TorchError> + 'a {
        move |part, images| {
            self.mixed_part(&self.runs(batch, true, logits)?, (part, images), Phase::Choices)
        }
    }

    /// What a part of a batch comes to, which has these images, where the outputs of these runs are summed with their weights.
    fn mixed_part(
        &self,
        runs: &[(Run, Schedule)],
        (part, images): (&TrainBatch<'_>, Portion),
        phase: Phase,
    ) -> Result<Learned, TorchError> {
        let statistics = match phase {
            Phase::Choices => Statistics::Batch,
            _ => Statistics::Learn,
        };
        let own = runs.iter().map(|(run, _)| run.of_images(images));
        let own = own.collect::<Result<Vec<_>, _>>()?;
        let weighed = own.iter().zip(runs).map(|(Run { weight, mixes }, (_, schedule))| {
            (weight.as_ref(), self.evaluation(schedule, mixes, statistics))
        });
        learned(&weighed.collect::<Vec<_>>(), part, phase)
    }

    pub(crate) fn evaluation<'a>(
        &'a self,
        schedule: &'a Schedule,
        mixes: &'a [Mix],
        statistics: Statistics,
    ) -> Evaluation<'a> {
        let Self { program, plan, parameters, .. } = self;
        Evaluation { program, plan, parameters, schedule, mixes, statistics, noise: None }
    }

    /// The network of an assignment with the weights of the supernet, for pictures of the size that
    /// the supernet is `fed`. Its running statistics are those of the supernet, or its own to be
    /// estimated.
    pub(crate) fn inherit(
        &self,
        space: &Checked<Space>,
        assignment: &Assignment,
        own: bool,
    ) -> Result<TorchNetwork, TorchError> {
        let schedule = Schedule::new(&self.program, &assigned(&self.program, space, assignment)?)?;
        let fed = self.program.inputs.first().copied();
        let program = Program::in_precision(&specialise(space, assignment), fed)?;
        let whole = self.optimizer.evaluated(&self.parameters);
        let parameters = whole.share(&program, &schedule.weights(&self.program), own)?;
        let network = TorchNetwork::with(program, parameters, self.settings.device)?;
        Ok(network.fusing(self.settings.fuses))
    }

    /// Weights by name, `choices/PATH`, `dropped/PATH`, and `optimizer/…`.
    pub(crate) fn state(&self) -> Result<Weights, TorchError> {
        let mut state = Weights::new();
        self.parameters.save(&mut state)?;
        self.choices.save(&mut state);
        self.optimizer.save(&self.parameters, &mut state)?;
        Ok(state)
    }

    pub(crate) fn restore(&mut self, state: &Weights) -> Result<(), TorchError> {
        self.parameters.load(state)?;
        self.choices.load(state)?;
        self.optimizer.load(&self.parameters, state)
    }
}

/// The program of a supernet whose choices are mixed so.
pub(crate) fn program(space: &Checked<Space>, mixing: Mixing) -> Result<Program, TorchError> {
    match mixing {
        Mixing::Masked => Program::masked(space),
        _ => Program::of_space(space),
    }
}

/// The program of a supernet that is trained on networks that it is given.
pub(crate) fn program_on_paths(
    space: &Checked<Space>,
    sharing: Sharing,
) -> Result<Program, TorchError> {
    match sharing.transforms {
        true => Program::transformed(space),
        false => Program::of_space(space),
    }
}

/// The gradient of the loss with respect to each logit; 0 where it does not depend on them.
pub(crate) fn logits_gradient(loss: &Tensor, logits: &Tensor) -> Result<Vec<f64>, TorchError> {
    let mut gradient = vec![0.0; logits.numel()];
    if loss.requires_grad() {
        let found = Tensor::f_run_backward(&[loss], &[logits], false, false)?;
        if let Some(found) = found.first().filter(|found| found.defined()) {
            gradient = crate::layout::values(found)?.into_iter().map(f64::from).collect();
        }
    }
    Ok(gradient)
}
