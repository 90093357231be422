//! Strategies that see of a network nothing but its score: each proposes the next by what came of those
//! before. How networks are scored is the recipe's business.

use std::collections::BTreeSet;

use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Assignment, Checked, Space};
use rand::RngCore;
use serde_json::Value;

use super::networks::Networks;
use super::score::{By, Score};
use super::sections;
use super::supernet::Supernet;
use crate::error::{Refusal, RunError};
use crate::evaluator::Halt;
use crate::record::{Choices, SearchEpoch};
use crate::shared::SharedWeights;
use crate::strategy::{Method, OneShot, Outcome, Reads, Scorer, Search, Strategy, Turn};
use crate::trial::{Budget, Trial};

pub(super) use super::sections::Trials;

/// A network and how good it is: more is better.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) assignment: Assignment,
    pub(super) fitness: f64,
}

/// What decides which network is next. It is a function of what was told, in order, and of the generator
/// of each trial: nothing else is kept when a run goes on.
pub(super) trait Proposer {
    /// The next network, one that was not tried; `None` where it finds none.
    ///
    /// # Errors
    /// No network keeps the requirements of the space.
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError>;

    /// What came of it; it is the last of `known.tried` by now.
    fn tell(&mut self, known: &Known<'_>) {
        let _ = known;
    }
}

/// The networks of the space, and those that were tried.
pub(super) struct Known<'s> {
    pub(super) networks: Networks<'s>,
    /// In order.
    pub(super) tried: Vec<Tried>,
    seen: BTreeSet<Vec<(String, String)>>,
}

impl<'s> Known<'s> {
    pub(super) fn new(space: &'s Checked<Space>) -> Result<Self, RunError> {
        let networks = Networks::new(space)?;
        Ok(Self { networks, tried: Vec::new(), seen: BTreeSet::new() })
    }

    /// Whether no network that chooses this was tried.
    pub(super) fn is_new(&self, choices: &Choices) -> bool {
        let choices: Vec<(String, String)> =
            choices.iter().map(|(path, name)| (path.clone(), name.clone())).collect();
        !self.seen.contains(&choices)
    }

    /// Whether a network was not tried.
    pub(super) fn is_untried(&self, assignment: &Assignment) -> bool {
        self.is_new(&self.networks.choices(assignment))
    }

    /// A network that was not tried, uniformly; `None` where it finds none.
    ///
    /// # Errors
    /// No network keeps the requirements of the space.
    pub(super) fn draw(&self, rng: &mut dyn RngCore) -> Result<Option<Assignment>, RunError> {
        self.networks.draw_new(rng, |choices| self.is_new(choices))
    }

    fn add(&mut self, outcome: &Outcome) {
        let fitness = outcome.network.score.fitness();
        self.tried.push(Tried { assignment: outcome.assignment.clone(), fitness });
        self.seen.insert(outcome.network.choices.clone().into_iter().collect());
    }
}

/// A proposer at work, as a strategy.
struct BlackBox<'s, P> {
    proposer: P,
    known: Known<'s>,
    trials: u32,
    is_over: bool,
    budget: Budget,
    /// What trains the supernet whose weights networks inherit.
    supernet: Supernet<'s>,
}

/// The search of a space by a proposer, scored as the recipe says, for as many trials as that says.
///
/// # Errors
/// The networks of the space cannot be counted.
pub(super) fn search<'s, P: Proposer + 's>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
    proposer: P,
) -> Result<Search<'s>, RunError> {
    search_for(space, recipe, sections::trials(recipe)?, proposer)
}

/// The same for so many trials.
///
/// # Errors
/// As [`search`].
pub(super) fn search_for<'s, P: Proposer + 's>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
    trials: Trials,
    proposer: P,
) -> Result<Search<'s>, RunError> {
    let Score { by, epochs } = Score::of(recipe)?;
    let Trials { sample: trials, keep } = trials;
    let budget = Budget { epochs: if by == By::Train { epochs } else { 0 } };
    let (known, supernet) = (Known::new(space)?, Supernet::new(space, recipe)?);
    let strategy = BlackBox { proposer, known, trials, is_over: false, budget, supernet };
    let method = match by {
        By::Inherited => Method::Shared(Box::new(strategy)),
        By::Train => Method::Alone(Box::new(strategy), Scorer::Training),
        By::Table => Method::Alone(Box::new(strategy), Scorer::Table),
    };
    Ok(Search { method, keep })
}

/// What such a search refuses of a space: nothing, whatever makes its decisions.
pub(super) fn refused(_: &Checked<Space>, _: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(Vec::new())
}

/// Of which images such a search takes batches.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    Ok(match Score::of(recipe)?.by {
        By::Inherited => Reads::All,
        By::Train | By::Table => Reads::Nothing,
    })
}

impl<P: Proposer> Strategy for BlackBox<'_, P> {
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        if self.known.tried.len() >= self.trials as usize {
            return Ok(None);
        }
        let proposed = self.proposer.propose(&self.known, rng)?;
        self.is_over = proposed.is_none();
        Ok(proposed.map(|assignment| Trial { assignment, budget: self.budget, drawn: 1 }))
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.known.add(outcome);
        self.proposer.tell(&self.known);
    }

    fn trials(&self) -> u32 {
        if self.is_over { self.known.tried.len() as u32 } else { self.trials }
    }

    fn restore(&mut self, told: &[Outcome], _: &Value) -> Result<(), String> {
        told.iter().for_each(|outcome| self.tell(outcome));
        Ok(())
    }
}

impl<P: Proposer> OneShot<dyn SharedWeights> for BlackBox<'_, P> {
    fn epoch(
        &mut self,
        supernet: &mut (dyn SharedWeights + 'static),
        turn: Turn<'_, '_>,
    ) -> Result<SearchEpoch, Halt> {
        self.supernet.epoch(&self.known.networks, supernet, turn)
    }

    fn learned(&mut self, _: &dyn SharedWeights, _: &mut dyn RngCore) -> Result<(), RunError> {
        Ok(())
    }
}
