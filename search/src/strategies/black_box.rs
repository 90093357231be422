//! Strategies that see of a network nothing but its score: each proposes the next by what came of those
//! before. How networks are scored is the recipe's business.

use std::cell::Cell;
use std::collections::BTreeSet;

use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Assignment, Checked, Space, fault};
use rand::RngCore;

use super::finals::{self, Finals};
use super::networks::Networks;
use super::objective;
use super::score::{self, By, Score};
use super::sections;
use super::supernet::{self, Supernet};
use super::warmup::{Warm, Warmup};
use crate::error::{Refusal, RunError};
use crate::evaluator::Halt;
use crate::front::worst;
use crate::record::{Choices, SearchEpoch};
use crate::shared::SharedWeights;
use crate::strategy::{Method, OneShot, Outcome, Reads, Scorer, Search, Strategy, Turn};
use crate::trial::{Budget, Trial};

pub(super) use super::sections::Trials;

/// A network and how good it is by the objective: more is better.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) assignment: Assignment,
    /// By the first goal.
    pub(super) fitness: f64,
    /// By each goal.
    pub(super) values: Vec<f64>,
}

impl Tried {
    fn new(assignment: Assignment, values: Vec<f64>) -> Self {
        let fitness = values.first().copied().unwrap_or(f64::NEG_INFINITY);
        Self { assignment, fitness, values }
    }
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

    /// Whether it proposes the same, whatever came of what it proposed before.
    fn is_independent(&self) -> bool {
        false
    }

    /// What came of it; it is the last of `known.tried` by now.
    fn tell(&mut self, known: &Known<'_>) {
        let _ = known;
    }
}

/// The networks of the space, and those that were tried.
pub(super) struct Known<'s> {
    pub(super) networks: Networks<'s>,
    /// In order. One whose trial failed is as good as the worst one.
    pub(super) tried: Vec<Tried>,
    /// What the warm-up found, best first: they stand for networks that are drawn.
    warm: Vec<Warm>,
    /// Those whose trials failed before any had a score.
    failed: Vec<Assignment>,
    /// Those that were asked for, whether something was told of them or not.
    seen: BTreeSet<Vec<(String, String)>>,
    /// Whether a network was drawn since the last one was asked for.
    is_drawn: Cell<bool>,
}

impl<'s> Known<'s> {
    pub(super) fn new(space: &'s Checked<Space>) -> Result<Self, RunError> {
        let networks = Networks::new(space)?;
        let (seen, is_drawn) = (BTreeSet::new(), Cell::new(false));
        let (tried, warm, failed) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { networks, tried, warm, failed, seen, is_drawn })
    }

    /// Whether no network that chooses this was tried, or is open.
    pub(super) fn is_new(&self, choices: &Choices) -> bool {
        let choices: Vec<(String, String)> =
            choices.iter().map(|(path, name)| (path.clone(), name.clone())).collect();
        !self.seen.contains(&choices)
    }

    /// Whether no network was asked for.
    pub(super) fn is_fresh(&self) -> bool {
        self.seen.is_empty()
    }

    /// Whether a network was not tried, and is not open.
    pub(super) fn is_untried(&self, assignment: &Assignment) -> bool {
        self.is_new(&self.networks.choices(assignment))
    }

    /// A network that was not tried and is not open: the best such one of the warm-up, else any, uniformly; `None` where it
    /// finds none. It is what is proposed then.
    ///
    /// # Errors
    /// No network keeps the requirements of the space.
    pub(super) fn draw(&self, rng: &mut dyn RngCore) -> Result<Option<Assignment>, RunError> {
        if let Some((_, warm)) = self.warm.iter().find(|(choices, _)| self.is_new(choices)) {
            return Ok(Some(warm.clone()));
        }
        self.is_drawn.set(true);
        self.networks.draw_new(rng, |choices| self.is_new(choices))
    }

    /// Notes that a network is open.
    pub(super) fn open(&mut self, assignment: &Assignment) {
        self.seen.insert(self.networks.choices(assignment).into_iter().collect());
    }

    /// What an outcome adds to those that were tried, in order. Of a trial that failed it is known that it is
    /// no better than the worst once there is a worst one.
    fn told(&mut self, outcome: &Outcome) -> Vec<Tried> {
        let assignment = outcome.assignment.clone();
        let tried = self.tried.iter().map(|tried| &tried.values);
        match (&outcome.values, worst(tried)) {
            (Some(values), _) => {
                let failed = std::mem::take(&mut self.failed);
                let all = std::iter::once(assignment).chain(failed);
                all.map(|assignment| Tried::new(assignment, values.clone())).collect()
            }
            (None, Some(values)) => vec![Tried::new(assignment, values)],
            (None, None) => {
                self.failed.push(assignment);
                Vec::new()
            }
        }
    }
}

/// A proposer at work, as a strategy.
struct BlackBox<'s, P> {
    proposer: P,
    warmup: Warmup,
    known: Known<'s>,
    /// Those of the proposer.
    trials: u32,
    is_over: bool,
    budget: Budget,
    /// What trains the supernet whose weights networks inherit, where they do.
    supernet: Option<Supernet<'s>>,
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
    let finals = match by {
        By::Inherited | By::Train | By::Proxy => finals::Settings::of(recipe)?,
        By::Table | By::Command => finals::Settings::NONE,
    };
    let budget = match by {
        By::Train | By::Command => Budget { epochs },
        By::Inherited | By::Proxy | By::Table => Budget::default(),
    };
    let (known, warmup) = (Known::new(space)?, Warmup::of(recipe)?);
    let supernet = match by {
        By::Inherited => Some(Supernet::new(space, recipe)?),
        By::Train | By::Proxy | By::Table | By::Command => None,
    };
    let scorer = match by {
        By::Inherited => None,
        By::Train if warmup.is_none() => Some(Scorer::Training),
        By::Train | By::Proxy => Some(Scorer::Proxies(score::proxies(&known.networks, recipe)?)),
        By::Table => Some(Scorer::Table),
        By::Command => Some(Scorer::Command(score::command(space, recipe)?)),
    };
    let strategy = BlackBox { proposer, warmup, known, trials, is_over: false, budget, supernet };
    let strategy = Finals::new(strategy, finals);
    let method = match scorer {
        None => Method::Shared(supernet::sharing(recipe)?, Box::new(strategy)),
        Some(scorer) => Method::Alone(Box::new(strategy), scorer),
    };
    Ok(Search { method, keep })
}

/// What such a search refuses that goes by one value: several goals. Of the space it refuses nothing, whatever makes
/// its decisions.
pub(super) fn refused(_: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(objective::several(recipe))
}

/// What such a search refuses that takes any number of goals.
pub(super) fn refused_by_none(_: &Checked<Space>, _: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(Vec::new())
}

/// Of which images such a search takes batches.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    Ok(match Score::of(recipe)?.by {
        By::Inherited => Reads::All,
        By::Train | By::Proxy | By::Table | By::Command => Reads::Nothing,
    })
}

impl<P: Proposer> Strategy for BlackBox<'_, P> {
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        if let Some(trial) = self.warmup.ask(&self.known.networks, rng)? {
            return Ok(Some(trial));
        }
        if !self.warmup.is_over() || self.known.seen.len() >= self.trials as usize {
            return Ok(None);
        }
        self.known.is_drawn.set(false);
        let proposed = self.proposer.propose(&self.known, rng)?;
        let uniform = self.known.is_drawn.get();
        match &proposed {
            Some(assignment) => self.known.open(assignment),
            None => self.is_over = true,
        }
        let trial = |assignment| Trial { assignment, budget: self.budget, drawn: 1, uniform };
        Ok(proposed.map(trial))
    }

    fn tell(&mut self, outcome: &Outcome) {
        if self.warmup.waits_for(outcome) {
            self.warmup.tell(outcome);
            if self.warmup.is_over() {
                self.known.warm = self.warmup.ranked();
            }
            return;
        }
        for tried in self.known.told(outcome) {
            self.known.tried.push(tried);
            self.proposer.tell(&self.known);
        }
    }

    fn trials(&self) -> u32 {
        let own = if self.is_over { self.known.seen.len() as u32 } else { self.trials };
        self.warmup.trials().saturating_add(own)
    }

    fn is_independent(&self) -> bool {
        self.proposer.is_independent()
    }

    fn conclude(&mut self) -> bool {
        self.warmup.conclude();
        self.known.warm = self.warmup.ranked();
        // Of a warm-up alone there would be no result.
        let asked = (self.known.seen.len() as u32).max(1);
        let is_cut = !self.is_over && asked < self.trials;
        self.trials = asked.min(self.trials);
        is_cut
    }
}

impl<P: Proposer> OneShot<dyn SharedWeights> for BlackBox<'_, P> {
    fn epoch(
        &mut self,
        supernet: &mut (dyn SharedWeights + 'static),
        turn: Turn<'_, '_>,
    ) -> Result<SearchEpoch, Halt> {
        match &self.supernet {
            Some(own) => own.epoch(&self.known.networks, supernet, turn),
            // INVARIANT: only networks that inherit are searched with a supernet.
            None => fault("a supernet whose weights no network inherits"),
        }
    }

    fn learned(&mut self, _: &dyn SharedWeights, _: &mut dyn RngCore) -> Result<(), RunError> {
        Ok(())
    }
}
