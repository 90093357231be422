//! The strategy `random`: networks drawn uniformly, the baseline of every other.
//!
//! They are drawn from those that keep the requirements of the space. Either a supernet is trained
//! first, on one network drawn so in each step, and they are scored with its weights; or each is
//! trained on its own for the epochs of its budget.

mod sampling;
mod schema;

use std::collections::BTreeSet;

use nas_analysis::costs::costs_without_peak;
use nas_ir::recipe::{Anneal, NoSetting, Recipe};
use nas_ir::{Assignment, Checked, Measure, Space};
use nas_passes::specialise;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::sampling::Sampling;
use self::schema::Settings;
use crate::error::{Refusal, RunError};
use crate::evaluator::{Halt, Part, Pass, PassReport};
use crate::event::StepKind;
use crate::finite::Figure;
use crate::record::SearchEpoch;
use crate::shared::SharedWeights;
use crate::strategy::{Method, OneShot, Outcome, Reads, Search, Strategy, Turn};
use crate::trial::{Budget, Trial};

pub use self::schema::SCHEMA;

/// All images for the weights of the supernet, if there is one.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    let is_alone = Settings::of(recipe)?.budget.is_some();
    Ok(if is_alone { Reads::Nothing } else { Reads::All })
}

/// Nothing: each step runs one whole network, whatever it is made of.
pub(super) fn refused(_: &Checked<Space>, _: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(Vec::new())
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let Settings { budget, sample, keep } = Settings::of(recipe)?;
    let random = Random {
        space,
        sampling: Sampling::new(space)?,
        sample,
        budget: Budget { epochs: budget.unwrap_or(0) },
        epochs: recipe.schedule.epochs,
        learning_rate: recipe.weights.learning_rate,
        measure: recipe.objective.measure,
        draws: 0,
        seen: BTreeSet::new(),
    };
    let method = match budget {
        None => Method::Shared(Box::new(random)),
        Some(_) => Method::Alone(Box::new(random)),
    };
    Ok(Search { method, keep })
}

struct Random<'s> {
    space: &'s Checked<Space>,
    sampling: Sampling<'s>,
    /// Networks drawn in all, those that were drawn before included.
    sample: u32,
    budget: Budget,
    /// Epochs of the supernet.
    epochs: u32,
    /// Learning rate of its weights.
    learning_rate: Anneal,
    /// What the objective weighs.
    measure: Measure,
    /// Networks drawn so far.
    draws: u32,
    /// What those chose that were tried.
    seen: BTreeSet<Vec<(String, String)>>,
}

/// What later draws depend on, beside the networks that were tried.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    draws: u32,
}

impl Strategy for Random<'_> {
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        while self.draws < self.sample {
            self.draws += 1;
            let assignment = self.sampling.draw(rng)?;
            if self.seen.insert(specialise(self.space, &assignment).choices) {
                return Ok(Some(Trial { assignment, budget: self.budget, drawn: 1 }));
            }
        }
        Ok(None)
    }

    fn tell(&mut self, _: &Outcome) {}

    fn trials(&self) -> u32 {
        let left = self.sample.saturating_sub(self.draws);
        u32::try_from(self.seen.len()).unwrap_or(u32::MAX).saturating_add(left)
    }

    fn state(&self) -> Value {
        json!(State { draws: self.draws })
    }

    fn restore(&mut self, told: &[Outcome], state: &Value) -> Result<(), String> {
        if told.is_empty() {
            return Ok(());
        }
        let State { draws } = State::deserialize(state).map_err(|error| error.to_string())?;
        self.draws = draws;
        let choices = |outcome: &Outcome| outcome.network.choices.clone().into_iter().collect();
        self.seen = told.iter().map(choices).collect();
        Ok(())
    }
}

impl OneShot<dyn SharedWeights> for Random<'_> {
    fn epoch(
        &mut self,
        supernet: &mut (dyn SharedWeights + 'static),
        turn: Turn<'_, '_>,
    ) -> Result<SearchEpoch, Halt> {
        let Turn { epoch, rng, progress } = turn;
        let learning_rate = self.learning_rate.over(epoch, self.epochs);
        let pass = Pass { part: Part::All, epoch, learning_rate, drop_path: 1.0 };
        let steps = supernet.steps(pass.part).map_err(Halt::backend)?;
        let paths = (0..steps).map(|_| self.sampling.draw(rng).map(|network| vec![network]));
        let paths = paths.collect::<Result<Vec<Vec<Assignment>>, RunError>>()?;
        let loss = supernet.train(&pass, &paths, &mut progress.steps(StepKind::Weights, epoch))?;
        progress.check()?;
        let figure = Figure { what: "the loss of the weights", epoch, setting: "weights.rate" };
        figure.check(&[loss])?;
        Ok(SearchEpoch {
            epoch,
            temperature: None,
            learning_rate,
            weights: PassReport { loss, cost: self.mean_cost(&paths) },
            choices: None,
            entropy: None,
            probabilities: None,
            pruned: None,
        })
    }

    fn learned(&mut self, _: &dyn SharedWeights, _: &mut dyn RngCore) -> Result<(), RunError> {
        Ok(())
    }
}

impl Random<'_> {
    /// The mean cost of the networks of a pass, in units of the measure; 0 where nothing tells it.
    fn mean_cost(&self, paths: &[Vec<Assignment>]) -> f64 {
        let cost = |assignment: &Assignment| {
            costs_without_peak(&specialise(self.space, assignment)).of(self.measure)
        };
        let costs: Vec<u64> = paths.iter().flatten().filter_map(cost).collect();
        costs.iter().map(|&cost| cost as f64).sum::<f64>() / costs.len().max(1) as f64
    }
}
