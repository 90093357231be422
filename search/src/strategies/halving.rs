//! Successive halving (Jamieson and Talwalkar 2016): many networks are trained for few epochs each, and the best of them
//! again, from fresh weights, for more; in brackets, one after the other, of which Hyperband (Li et al. 2018) has several.

use nas_ir::recipe::common::{
    DATA, EPOCHS, LOSS, METRICS, RETRAIN, SCHEDULE, SEED, STRATEGY, WEIGHTS,
};
use nas_ir::recipe::schema::{Field, Kind, Kinds, Section};
use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Assignment, Checked, Space};
use rand::RngCore;

use super::black_box::Known;
use super::objective;
use super::score::{self, By, SCORE, Score};
use crate::error::{Refusal, RunError};
use crate::strategy::{Method, Outcome, Reads, Scorer, Search, Strategy};
use crate::trial::{Budget, Trial};

/// The sections of such a strategy, with its own settings, what these are about, and what is kept.
pub(super) const fn sections(
    doc: &'static str,
    fields: &'static [Field],
    derive: Section,
) -> [Section; 9] {
    let own = Section { name: STRATEGY, kinds: Kinds::Strategy, doc, fields };
    [own, BUDGET, METRICS, DATA, LOSS, WEIGHTS, SEEDED, derive, RETRAIN]
}

/// The section of the greatest budget.
const BUDGET: Section = Section {
    name: SCORE,
    kinds: Kinds::None,
    doc: "how the networks that are tried are scored, each after training of its own",
    fields: &[
        BY,
        MOST,
        score::COMMAND,
        score::METRIC,
        score::DIRECTION,
        score::TIMEOUT,
        score::RETRIES,
        score::JOBS,
    ],
};

const BY: Field = Field {
    name: score::BY.name,
    kind: Kind::Word(&["train", "command"]),
    doc: "`train`: by training of its own, as `retrain` says but for its epochs; `command`: by a command of yours, which trains it \
          for `{epochs}` and prints its metrics. Then nothing is trained by nasc, and no data are read",
};

/// The section of the schedule, of which the seed alone is used.
const SEEDED: Section = Section {
    name: SCHEDULE,
    kinds: Kinds::None,
    doc: "`seed` decides which networks are drawn; no supernet is trained, so `epochs` does nothing",
    fields: &[EPOCHS, SEED],
};

const MOST: Field = Field {
    name: score::EPOCHS.name,
    kind: Kind::count(1, 27),
    doc: "the most epochs of training of a network (R of Hyperband)",
};

/// The fewest epochs.
pub(super) const LEAST: Field = Field {
    name: "least",
    kind: Kind::count(1, 1),
    doc: "the fewest epochs of training of a network, at least; where `score.epochs` is not more, all are trained for that",
};

/// What is kept at each step.
pub(super) const ETA: Field = Field {
    name: "eta",
    kind: Kind::count(2, 3),
    doc: "of the networks of one budget, one in so many is trained again, for so many times the epochs",
};

/// How budgets grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Growth {
    eta: u32,
    most: u32,
    /// How often the most epochs can be divided by eta until they are the fewest.
    pub(super) steps: u32,
}

impl Growth {
    /// That of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let own = |field: Field| recipe.settings.count(STRATEGY, field.name);
        let (eta, least) = (own(ETA)?, own(LEAST)?);
        let most = recipe.settings.count(SCORE, MOST.name)?;
        let powers = std::iter::successors(Some(u64::from(least)), |epochs| {
            Some(epochs.saturating_mul(u64::from(eta)))
        });
        let steps = powers.skip(1).take_while(|&epochs| epochs <= u64::from(most)).count();
        Ok(Self { eta, most, steps: u32::try_from(steps).unwrap_or(u32::MAX) })
    }

    /// Eta to a power.
    pub(super) fn factor(&self, steps: u32) -> f64 {
        f64::from(self.eta).powf(f64::from(steps))
    }

    /// The epochs so many steps before the most of them.
    pub(super) fn epochs(&self, steps_left: u32) -> u32 {
        ((f64::from(self.most) / self.factor(steps_left)).round() as u32).max(1)
    }
}

/// Networks that are drawn together, and how often they are halved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bracket {
    /// How many.
    pub(super) networks: usize,
    /// Steps until the most epochs.
    pub(super) steps: u32,
}

impl Bracket {
    /// How many are trained after so many steps (section 3 of Li et al. 2018).
    fn after(&self, steps: u32, growth: &Growth) -> usize {
        ((self.networks as f64 / growth.factor(steps)).floor() as usize).max(1)
    }
}

/// The search of a space in brackets.
///
/// # Errors
/// The networks of the space cannot be counted.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
    growth: Growth,
    brackets: Vec<Bracket>,
    keep: u32,
) -> Result<Search<'s>, RunError> {
    let halving = Halving {
        known: Known::new(space)?,
        growth,
        brackets,
        at: At::default(),
        asked: 0,
        scored: Vec::new(),
        survivors: Vec::new(),
        told: 0,
        is_over: false,
    };
    Ok(Search { method: Method::Alone(Box::new(halving), scorer(space, recipe)?), keep })
}

/// What scores the networks of such a search.
///
/// # Errors
/// Nothing says which metric of a command ranks networks.
pub(super) fn scorer(space: &Space, recipe: &Recipe) -> Result<Scorer, RunError> {
    Ok(match Score::of(recipe)?.by {
        By::Command => Scorer::Command(score::command(space, recipe)?),
        By::Train | By::Inherited | By::Proxy | By::Table => Scorer::Training,
    })
}

/// What such a search refuses: several goals.
pub(super) fn refused(_: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(objective::several(recipe))
}

/// Of which images such a search takes batches.
pub(super) fn reads(_: &Recipe) -> Result<Reads, NoSetting> {
    Ok(Reads::Nothing)
}

struct Halving<'s> {
    known: Known<'s>,
    growth: Growth,
    brackets: Vec<Bracket>,
    at: At,
    /// How many networks of this budget were asked for.
    asked: usize,
    /// Those that were tried, with how good they were.
    scored: Vec<(Assignment, f64)>,
    /// Those that are to be tried with it, behind the first step of a bracket.
    survivors: Vec<Assignment>,
    /// Trials of all budgets.
    told: u32,
    is_over: bool,
}

/// Where a search is.
#[derive(Debug, Clone, Copy, Default)]
struct At {
    bracket: usize,
    /// Steps of it that are done.
    step: u32,
}

impl Halving<'_> {
    fn bracket(&self) -> Option<Bracket> {
        self.brackets.get(self.at.bracket).copied()
    }

    /// The epochs of the trials that are asked for now.
    fn epochs(&self) -> Option<u32> {
        let bracket = self.bracket()?;
        Some(self.growth.epochs(bracket.steps.saturating_sub(self.at.step)))
    }

    /// Goes on to the next budget, or to the next bracket.
    fn advance(&mut self) {
        let mut scored = std::mem::take(&mut self.scored);
        self.asked = 0;
        let Some(bracket) = self.bracket() else { return };
        if self.at.step >= bracket.steps {
            self.at = At { bracket: self.at.bracket + 1, step: 0 };
            self.survivors.clear();
            return;
        }
        self.at.step += 1;
        // Of equals, those that were drawn earlier.
        scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        scored.truncate(bracket.after(self.at.step, &self.growth));
        self.survivors = scored.into_iter().map(|(network, _)| network).collect();
    }

    /// How many networks are to be tried with this budget.
    fn planned(&self) -> usize {
        match self.at.step {
            0 => self.bracket().map_or(0, |bracket| bracket.networks),
            _ => self.survivors.len(),
        }
    }

    /// The next of them.
    fn next(&self, rng: &mut dyn RngCore) -> Result<Option<Assignment>, RunError> {
        match self.at.step {
            _ if self.asked >= self.planned() => Ok(None),
            0 => self.known.draw(rng),
            _ => Ok(self.survivors.get(self.asked).cloned()),
        }
    }

    fn open(&mut self, assignment: &Assignment) {
        self.known.open(assignment);
        self.asked += 1;
    }
}

impl Strategy for Halving<'_> {
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        while let Some(epochs) = self.epochs().filter(|_| !self.is_over) {
            if let Some(assignment) = self.next(rng)? {
                self.open(&assignment);
                let (budget, uniform) = (Budget { epochs }, self.at.step == 0);
                return Ok(Some(Trial { assignment, budget, drawn: 1, uniform }));
            }
            // The next budget is decided by all of this one.
            if self.scored.len() < self.asked {
                return Ok(None);
            }
            // There are no more networks than these: they are halved, or all was tried.
            if self.scored.is_empty() {
                break;
            }
            self.advance();
        }
        self.is_over = true;
        Ok(None)
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.told += 1;
        // A trial that failed is worse than any other.
        let value = outcome.values.as_ref().and_then(|values| values.first().copied());
        self.scored.push((outcome.assignment.clone(), value.unwrap_or(f64::NEG_INFINITY)));
        if self.scored.len() >= self.planned() {
            self.advance();
        }
    }

    fn conclude(&mut self) -> bool {
        let is_cut = !self.is_over && self.epochs().is_some();
        self.is_over = true;
        is_cut
    }

    fn trials(&self) -> u32 {
        if self.is_over {
            return self.told;
        }
        let of_bracket = |bracket: &Bracket| -> usize {
            let later = 1..=bracket.steps;
            bracket.networks + later.map(|step| bracket.after(step, &self.growth)).sum::<usize>()
        };
        u32::try_from(self.brackets.iter().map(of_bracket).sum::<usize>()).unwrap_or(u32::MAX)
    }
}
