//! The warm-up of a search whose networks are trained to be scored: some that are drawn uniformly are scored by zero-cost
//! proxies first, and the best of these stand for the networks that the strategy would draw at random (Abdelfattah et
//! al. 2021, zero-cost warm-up).

use std::collections::BTreeSet;

use miette::{Diagnostic, SourceSpan};
use nas_grammar::Source;
use nas_ir::Assignment;
use nas_ir::recipe::{NoSetting, Recipe};
use rand::RngCore;
use thiserror::Error;

use super::networks::Networks;
use super::score::{By, SCORE, Score, WARMUP};
use crate::error::{Refusal, RunError};
use crate::record::Choices;
use crate::strategy::Outcome;
use crate::trial::{Budget, Trial};

/// A warm-up, from its first network to the order of all.
#[derive(Default)]
pub(super) struct Warmup {
    /// How many networks are drawn.
    networks: usize,
    /// What those chose that were asked for.
    asked: BTreeSet<Vec<(String, String)>>,
    /// Those that were told of, and their scores where they have one.
    told: Vec<(Option<f64>, Warm)>,
}

/// A network of a warm-up, and what it chooses.
pub(super) type Warm = (Choices, Assignment);

/// How many networks a recipe has in its warm-up: none where they are not trained to be scored.
fn networks(recipe: &Recipe) -> Result<u32, NoSetting> {
    match Score::of(recipe)?.by {
        By::Train => recipe.settings.count(SCORE, WARMUP.name),
        By::Inherited | By::Proxy | By::Table | By::Command => Ok(0),
    }
}

impl Warmup {
    /// That of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        Ok(Self { networks: networks(recipe)? as usize, ..Self::default() })
    }

    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        self.networks == 0
    }

    /// How many trials it takes; at most, as long as it asks for more.
    pub(super) fn trials(&self) -> u32 {
        self.networks as u32
    }

    /// Its next network; `None` where all were asked for, or no new one is found.
    ///
    /// # Errors
    /// No network keeps the requirements of the space.
    pub(super) fn ask(
        &mut self,
        of: &Networks<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Trial>, RunError> {
        if self.asked.len() >= self.networks {
            return Ok(None);
        }
        let drawn = of.draw_new(rng, |choices| {
            let choices = choices.iter().map(|(path, name)| (path.clone(), name.clone()));
            !self.asked.contains(&choices.collect::<Vec<_>>())
        })?;
        let Some(assignment) = drawn else {
            self.conclude();
            return Ok(None);
        };
        self.asked.insert(of.choices(&assignment).into_iter().collect());
        Ok(Some(Trial { assignment, budget: Budget::default(), drawn: 1, uniform: true }))
    }

    /// Asks for no more.
    pub(super) fn conclude(&mut self) {
        self.networks = self.asked.len();
    }

    /// Whether an outcome is of one of its networks that it still waits for.
    pub(super) fn waits_for(&self, outcome: &Outcome) -> bool {
        outcome.network.budget.is_none() && self.told.len() < self.asked.len()
    }

    /// What came of one of them.
    pub(super) fn tell(&mut self, outcome: &Outcome) {
        let value = outcome.values.as_ref().and_then(|values| values.first().copied());
        self.told.push((value, (outcome.network.choices.clone(), outcome.assignment.clone())));
    }

    /// Whether it is over: all that was asked for is told.
    pub(super) fn is_over(&self) -> bool {
        self.told.len() >= self.networks
    }

    /// Its networks that have a score, best first, of equals the earlier.
    pub(super) fn ranked(&self) -> Vec<Warm> {
        let scored = self.told.iter().filter_map(|(value, network)| (*value).zip(Some(network)));
        let mut scored: Vec<(f64, &Warm)> = scored.collect();
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scored.into_iter().map(|(_, network)| network.clone()).collect()
    }
}

/// A warm-up of a strategy that draws no network at random.
#[derive(Debug, Error, Diagnostic)]
#[error("`strategy {strategy}` draws no network at random that those of a warm-up could stand for")]
#[diagnostic(
    code(nas::search::warmup),
    help("leave `score.warmup` out, or search by another strategy, such as `aging_evolution`")
)]
struct NoneDrawn {
    strategy: &'static str,
    #[source_code]
    file: Source,
    #[label("of no use here")]
    at: Option<SourceSpan>,
}

/// What is said of a warm-up where the strategy draws no network at random.
pub(super) fn refused(recipe: &Recipe) -> Result<Option<Refusal>, NoSetting> {
    if networks(recipe)? == 0 {
        return Ok(None);
    }
    let written = recipe.settings.place(SCORE, WARMUP.name).cloned();
    let (file, at) = match written {
        Some((file, span)) => (file, Some(span.into())),
        None => (Source::new("", ""), None),
    };
    Ok(Some(Refusal::new(NoneDrawn { strategy: recipe.strategy.name, file, at })))
}
