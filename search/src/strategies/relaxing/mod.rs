//! What strategies have in common that train the choices of a supernet by gradients (DARTS, Liu et al. 2019; FBNet, Wu et
//! al. 2019; and others): the choices are relaxed to probabilities, and
//!
//! 1. in a warm-up of `schedule.warmup` epochs only the weights learn, on all training images;
//! 2. then weights and choices learn in turns, the weights on their share of the images and the choices on the
//!    rest, at a temperature that moves from epoch to epoch; a candidate whose probability falls below a bound
//!    after an epoch is pruned for good;
//! 3. `derive.sample` networks are drawn from the probabilities and scored with inherited weights.

mod draws;
mod refusal;
pub(super) mod schema;

use nas_ir::recipe::{LearningRate, Recipe};
use nas_ir::{Checked, DecisionId, Space};
use rand::RngCore;

use self::draws::{Drawn, drawn, most_probable};
use self::schema::{Settings, Turns};
use super::objective;
use crate::error::RunError;
use crate::evaluator::{Halt, Part, Pass, PassReport, Rate};
use crate::event::{Event, StepKind};
use crate::finite::Figure;
use crate::objective::Penalty;
use crate::progress::Progress;
use crate::record::{Pruned, SearchEpoch};
use crate::shared::{InTurns, Relaxation, Relaxed};
use crate::strategy::{Method, OneShot, Outcome, Reads, Search, Strategy, Turn};
use crate::trial::{Budget, Trial};
use crate::work::Work;

use super::finals::{self, Finals};

pub(super) use self::refusal::{SAMPLED, several_shapes, told_nothing};

/// Of which images such a search takes batches: a share for the weights, the rest for the choices.
pub(super) fn reads(settings: &Settings) -> Reads {
    Reads::Parts { weights: settings.split }
}

/// The search of a space by such a strategy.
///
/// # Errors
/// The expected cost cannot be told.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
    settings: Settings,
) -> Result<Search<'s>, RunError> {
    let weighed = objective::weighed(space, recipe)?;
    let penalty =
        Penalty::new(space, weighed).map_err(|entangled| RunError::EntangledObjective {
            space: space.name.clone(),
            decisions: space.entanglement(&entangled),
        })?;
    let Settings { mixing, optimizer, split, keep, .. } = settings;
    let finals = finals::Settings::of(recipe)?;
    let relaxing = Relaxing {
        space,
        settings,
        penalty,
        epochs: recipe.schedule.epochs,
        learning_rate: recipe.weights.learning_rate(recipe.schedule.epochs),
        queue: Vec::new(),
        asked: 0,
    };
    let relaxation = Relaxation { mixing, optimizer, split };
    Ok(Search {
        method: Method::Relaxed(relaxation, Box::new(Finals::new(relaxing, finals))),
        keep,
    })
}

struct Relaxing<'s> {
    space: &'s Checked<Space>,
    settings: Settings,
    penalty: Penalty,
    /// Epochs of the search, warm-up included.
    epochs: u32,
    /// Learning rate of the weights.
    learning_rate: LearningRate,
    /// The networks that the learned probabilities gave.
    queue: Vec<Drawn>,
    /// How many of them were asked for.
    asked: usize,
}

impl Strategy for Relaxing<'_> {
    fn ask(&mut self, _: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        let next = self.queue.get(self.asked).map(|drawn| Trial {
            assignment: drawn.assignment.clone(),
            budget: Budget::default(),
            drawn: drawn.times,
            uniform: false,
        });
        self.asked += usize::from(next.is_some());
        Ok(next)
    }

    fn tell(&mut self, _: &Outcome) {}

    fn is_independent(&self) -> bool {
        true
    }

    fn trials(&self) -> u32 {
        u32::try_from(self.queue.len()).unwrap_or(u32::MAX)
    }

    fn conclude(&mut self) -> bool {
        let is_cut = self.asked < self.queue.len();
        self.queue.truncate(self.asked);
        is_cut
    }
}

impl OneShot<dyn Relaxed> for Relaxing<'_> {
    fn epoch(
        &mut self,
        supernet: &mut (dyn Relaxed + 'static),
        turn: Turn<'_, '_>,
    ) -> Result<SearchEpoch, Halt> {
        let Turn { epoch, progress, .. } = turn;
        let warmup = self.settings.warmup;
        let is_warming = epoch < warmup;
        let after = |count: u32| count.saturating_sub(warmup);
        let annealed = self.settings.temperature;
        let annealed = annealed.map(|anneal| anneal.at(after(epoch), after(self.epochs)));
        let temperature = annealed.unwrap_or(1.0);
        let learning_rate = Rate::over(self.learning_rate, epoch, self.epochs);
        let part = if is_warming { Part::All } else { Part::Weights };
        let pass = Pass { part, epoch, learning_rate, drop_path: 1.0 };
        let (weights, choices) = match self.settings.turns {
            _ if is_warming => (self.weights(supernet, &pass, temperature, progress)?, None),
            Turns::Epochs => {
                let weights = self.weights(supernet, &pass, temperature, progress)?;
                (weights, Some(self.choices(supernet, &pass, temperature, progress)?))
            }
            Turns::Steps { is_unrolled } => {
                let choices = self.settings.learning_rate;
                let turns = InTurns { pass, temperature, choices, is_unrolled };
                let [weights, choices] = {
                    let on_step = &mut progress.steps(StepKind::Weights, epoch);
                    supernet.train_in_turns(&turns, &self.penalty, on_step)?
                };
                progress.check()?;
                checked("the loss of the weights", epoch, "weights.rate", weights)?;
                checked("the loss of the choices", epoch, "choices.rate", choices)?;
                (weights, Some(choices))
            }
        };
        let probabilities = self.probabilities(supernet)?;
        let pruned = if is_warming {
            Vec::new()
        } else {
            self.prune(supernet, epoch, &probabilities, progress)
        };
        Ok(SearchEpoch {
            epoch,
            temperature: annealed,
            learning_rate: learning_rate.ends(),
            weights,
            choices,
            entropy: Some(mean_entropy(&probabilities)),
            probabilities: Some(probabilities),
            pruned: Some(pruned),
            work: Work::default(),
        })
    }

    fn learned(&mut self, supernet: &dyn Relaxed, rng: &mut dyn RngCore) -> Result<(), RunError> {
        let probabilities = self.probabilities(supernet)?;
        self.queue = drawn(self.space, &probabilities, self.settings.sample, rng)?;
        Ok(())
    }
}

impl Relaxing<'_> {
    /// A pass of the weights.
    fn weights(
        &self,
        supernet: &mut dyn Relaxed,
        pass: &Pass,
        temperature: f64,
        progress: &mut Progress<'_>,
    ) -> Result<PassReport, Halt> {
        let report = {
            let on_step = &mut progress.steps(StepKind::Weights, pass.epoch);
            supernet.train_mixed(pass, temperature, &self.penalty, on_step)?
        };
        progress.check()?;
        checked("the loss of the weights", pass.epoch, "weights.rate", report)?;
        Ok(report)
    }

    /// A pass of the choices after that of the weights.
    fn choices(
        &self,
        supernet: &mut dyn Relaxed,
        pass: &Pass,
        temperature: f64,
        progress: &mut Progress<'_>,
    ) -> Result<PassReport, Halt> {
        let learning_rate = Rate::constant(self.settings.learning_rate);
        let pass = Pass { part: Part::Choices, learning_rate, ..*pass };
        let report = {
            let on_step = &mut progress.steps(StepKind::Choices, pass.epoch);
            supernet.train_choices(&pass, temperature, &self.penalty, on_step)?
        };
        progress.check()?;
        checked("the loss of the choices", pass.epoch, "choices.rate", report)?;
        Ok(report)
    }

    /// The probability of each candidate of each decision.
    fn probabilities(&self, supernet: &dyn Relaxed) -> Result<Vec<Vec<f64>>, RunError> {
        let table = supernet.probabilities();
        let decisions = &self.space.decisions;
        if table.len() != decisions.len() {
            let why = format!("{} rows for {} decisions", table.len(), decisions.len());
            return Err(RunError::Probabilities { why });
        }
        for (row, decision) in table.iter().zip(decisions) {
            let sound =
                row.iter().all(|p| p.is_finite() && *p >= 0.0) && row.iter().any(|p| *p > 0.0);
            if row.len() != decision.candidates.len() || !sound {
                return Err(RunError::Probabilities { why: format!("{}: {row:?}", decision.path) });
            }
        }
        Ok(table)
    }

    /// Prunes the candidates that became improbable, never the most probable one of a decision.
    fn prune(
        &self,
        supernet: &mut dyn Relaxed,
        epoch: u32,
        probabilities: &[Vec<f64>],
        progress: &mut Progress<'_>,
    ) -> Vec<Pruned> {
        let improbable = |(id, row): (DecisionId, &Vec<f64>)| -> Vec<(DecisionId, usize, f64)> {
            let best = most_probable(row);
            let candidates = row.iter().copied().enumerate();
            let below = self.settings.prune_below;
            let improbable = candidates.filter(|&(c, p)| p < below && c != best);
            improbable.map(|(candidate, p)| (id, candidate, p)).collect()
        };
        let ids = self.space.decision_ids().map(|(id, _)| id);
        let mut pruned = Vec::new();
        for (id, candidate, probability) in ids.zip(probabilities).flat_map(improbable) {
            let name =
                self.space.decision(id).and_then(|d| Some((d, d.candidates.get(candidate)?)));
            let Some((decision, name)) = name.filter(|_| !supernet.is_pruned(id, candidate)) else {
                continue;
            };
            supernet.prune(id, candidate);
            let (decision, candidate) = (decision.path.clone(), name.clone());
            pruned.push(Pruned { decision, candidate, probability });
        }
        for pruned in &pruned {
            progress.tell(Event::Pruned { epoch, pruned });
        }
        pruned
    }
}

/// Nothing, if what a pass reports are numbers.
fn checked(
    what: &'static str,
    epoch: u32,
    setting: &'static str,
    report: PassReport,
) -> Result<(), RunError> {
    Figure { what, epoch, setting }.check(&[report.loss, report.cost])
}

/// Mean over the rows of `-sum p ln p`, in nats.
fn mean_entropy(rows: &[Vec<f64>]) -> f64 {
    let entropy =
        |row: &Vec<f64>| -> f64 { row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum() };
    if rows.is_empty() { 0.0 } else { rows.iter().map(entropy).sum::<f64>() / rows.len() as f64 }
}
