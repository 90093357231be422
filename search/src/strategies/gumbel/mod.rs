//! The strategy `gumbel`: SqueezeNAS's search (Shaw et al. 2019, section 4).
//!
//! 1. Warm-up: for `schedule.warmup` epochs only the weights learn, on all training images.
//! 2. Then, each epoch, a pass of the weights on their share of the images and a pass of the
//!    choices on the rest, at a temperature that falls from epoch to epoch; a candidate whose
//!    probability is then below `strategy.prune_below` is pruned for good.
//! 3. `derive.sample` networks are drawn from the probabilities and scored with inherited weights.

mod draws;
mod refusal;
mod schema;

use nas_ir::recipe::{Anneal, NoSetting, Recipe};
use nas_ir::{Checked, DecisionId, Space};
use rand::RngCore;
use serde_json::Value;

use self::draws::{Drawn, drawn, most_probable};
use self::schema::Settings;
use crate::error::{Refusal, RunError};
use crate::evaluator::{Halt, Part, Pass};
use crate::event::{Event, StepKind};
use crate::finite::Figure;
use crate::objective::Penalty;
use crate::progress::Progress;
use crate::record::{Pruned, SearchEpoch};
use crate::shared::{Mixing, Relaxation, Relaxed};
use crate::strategy::{Method, OneShot, Outcome, Reads, Search, Strategy, Turn};
use crate::trial::{Budget, Trial};

pub use self::schema::SCHEMA;

/// A share of the images for the weights, the rest for the choices.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    Ok(Reads::Parts { weights: Settings::of(recipe)?.split })
}

/// What soft mixing cannot sum.
pub(super) fn refused(space: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(match Settings::of(recipe)?.mixing {
        Mixing::Soft => refusal::several_shapes(space),
        Mixing::Hard => Vec::new(),
    })
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let settings = Settings::of(recipe)?;
    let penalty = Penalty::new(space, recipe.objective).map_err(|entangled| {
        RunError::EntangledObjective {
            space: space.name.clone(),
            decisions: space.entanglement(&entangled),
        }
    })?;
    let Settings { mixing, optimizer, split, keep, .. } = settings;
    let gumbel = Gumbel {
        space,
        settings,
        penalty,
        epochs: recipe.schedule.epochs,
        learning_rate: recipe.weights.learning_rate,
        queue: Vec::new(),
        asked: 0,
    };
    let relaxation = Relaxation { mixing, optimizer, split };
    Ok(Search { method: Method::Relaxed(relaxation, Box::new(gumbel)), keep })
}

struct Gumbel<'s> {
    space: &'s Checked<Space>,
    settings: Settings,
    penalty: Penalty,
    /// Epochs of the search, warm-up included.
    epochs: u32,
    /// Learning rate of the weights.
    learning_rate: Anneal,
    /// The networks that the learned probabilities gave.
    queue: Vec<Drawn>,
    /// How many of them were asked for.
    asked: usize,
}

impl Strategy for Gumbel<'_> {
    fn ask(&mut self, _: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        let next = self.queue.get(self.asked).map(|drawn| Trial {
            assignment: drawn.assignment.clone(),
            budget: Budget::default(),
            drawn: drawn.times,
        });
        self.asked += usize::from(next.is_some());
        Ok(next)
    }

    fn tell(&mut self, _: &Outcome) {}

    fn trials(&self) -> u32 {
        u32::try_from(self.queue.len()).unwrap_or(u32::MAX)
    }

    fn restore(&mut self, told: &[Outcome], open: &[Outcome], _: &Value) -> Result<(), String> {
        self.asked = told.len() + open.len();
        let mut pairs = told.iter().chain(open).zip(&self.queue);
        let fits = self.asked <= self.queue.len()
            && pairs.all(|(asked, drawn)| asked.network.choices == drawn.choices);
        if fits { Ok(()) } else { Err("it scores networks that were not drawn".to_owned()) }
    }
}

impl OneShot<dyn Relaxed> for Gumbel<'_> {
    fn epoch(
        &mut self,
        supernet: &mut (dyn Relaxed + 'static),
        turn: Turn<'_, '_>,
    ) -> Result<SearchEpoch, Halt> {
        let Turn { epoch, progress, .. } = turn;
        let Settings { warmup, temperature, .. } = self.settings;
        let is_warming = epoch < warmup;
        let temperature =
            temperature.at(epoch.saturating_sub(warmup), self.epochs.saturating_sub(warmup));
        let learning_rate = self.learning_rate.over(epoch, self.epochs);
        let part = if is_warming { Part::All } else { Part::Weights };
        let pass = Pass { part, epoch, learning_rate, drop_path: 1.0 };
        let weights = {
            let on_step = &mut progress.steps(StepKind::Weights, epoch);
            supernet.train_mixed(&pass, temperature, &self.penalty, on_step)?
        };
        progress.check()?;
        let figure = Figure { what: "the loss of the weights", epoch, setting: "weights.rate" };
        figure.check(&[weights.loss, weights.cost])?;
        let choices = if is_warming {
            None
        } else {
            let learning_rate = [self.settings.learning_rate; 2];
            let pass = Pass { part: Part::Choices, learning_rate, ..pass };
            let choices = {
                let on_step = &mut progress.steps(StepKind::Choices, epoch);
                supernet.train_choices(&pass, temperature, &self.penalty, on_step)?
            };
            progress.check()?;
            let figure = Figure { what: "the loss of the choices", epoch, setting: "choices.rate" };
            figure.check(&[choices.loss, choices.cost])?;
            Some(choices)
        };
        let probabilities = self.probabilities(supernet)?;
        let pruned = if is_warming {
            Vec::new()
        } else {
            self.prune(supernet, epoch, &probabilities, progress)
        };
        Ok(SearchEpoch {
            epoch,
            temperature: Some(temperature),
            learning_rate,
            weights,
            choices,
            entropy: Some(mean_entropy(&probabilities)),
            probabilities: Some(probabilities),
            pruned: Some(pruned),
        })
    }

    fn learned(&mut self, supernet: &dyn Relaxed, rng: &mut dyn RngCore) -> Result<(), RunError> {
        let probabilities = self.probabilities(supernet)?;
        self.queue = drawn(self.space, &probabilities, self.settings.sample, rng)?;
        Ok(())
    }
}

impl Gumbel<'_> {
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

/// Mean over the rows of `-sum p ln p`, in nats.
fn mean_entropy(rows: &[Vec<f64>]) -> f64 {
    let entropy =
        |row: &Vec<f64>| -> f64 { row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum() };
    if rows.is_empty() { 0.0 } else { rows.iter().map(entropy).sum::<f64>() / rows.len() as f64 }
}
