//! Asynchronous successive halving (ASHA, Li et al. 2020, algorithm 2): a network is tried again with more epochs as soon as
//! it is among the best of those that were tried so far with fewer, so that no job waits for the last trial of a budget.
//!
//! Trials that run side by side are told in the order in which they were asked for, so that what is asked for is a function of
//! their scores and of their number, whichever ends first.

use nas_ir::Assignment;
use rand::RngCore;

use crate::error::RunError;
use crate::strategies::black_box::Known;
use crate::strategies::halving::Growth;
use crate::strategy::{Outcome, Strategy};
use crate::trial::{Budget, Trial};

pub(super) struct Asha<'s> {
    known: Known<'s>,
    growth: Growth,
    /// How many networks are drawn.
    networks: usize,
    drawn: usize,
    /// One for each budget, that of the fewest epochs first.
    rungs: Vec<Rung>,
    /// Trials that were asked for and not told.
    open: usize,
    told: u32,
    is_over: bool,
}

/// The networks of a budget.
#[derive(Debug, Clone, Default)]
struct Rung {
    tried: Vec<Tried>,
}

#[derive(Debug, Clone)]
struct Tried {
    assignment: Assignment,
    /// More is better; minus infinity where the trial failed.
    value: f64,
    /// Whether it was asked for with the next budget.
    is_promoted: bool,
}

impl Rung {
    /// The places of the best so many, those of trials that failed aside; of equals the earlier first.
    fn best(&self, count: usize) -> Vec<usize> {
        let tried = self.tried.iter().enumerate().filter(|(_, tried)| tried.value.is_finite());
        let mut places: Vec<(usize, f64)> =
            tried.map(|(place, tried)| (place, tried.value)).collect();
        places.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        places.into_iter().take(count).map(|(place, _)| place).collect()
    }

    /// Takes the best of the best so many that was not promoted.
    fn promote(&mut self, count: usize) -> Option<Assignment> {
        let best = self.best(count);
        let place = best
            .into_iter()
            .find(|&place| self.tried.get(place).is_some_and(|t| !t.is_promoted))?;
        let tried = self.tried.get_mut(place)?;
        tried.is_promoted = true;
        Some(tried.assignment.clone())
    }
}

impl<'s> Asha<'s> {
    /// One that draws so many networks.
    pub(super) fn new(known: Known<'s>, growth: Growth, networks: usize) -> Self {
        let rungs = vec![Rung::default(); growth.steps as usize + 1];
        let (drawn, open, told, is_over) = (0, 0, 0, false);
        Self { known, growth, networks, drawn, rungs, open, told, is_over }
    }

    fn trial(&mut self, assignment: Assignment, rung: usize) -> Trial {
        self.open += 1;
        let left = self.growth.steps.saturating_sub(u32::try_from(rung).unwrap_or(u32::MAX));
        let budget = Budget { epochs: self.growth.epochs(left) };
        Trial { assignment, budget, drawn: 1, uniform: rung == 0 }
    }

    /// A network that goes on to the next budget, and the number of that; the greatest that there is one for.
    fn promoted(&mut self) -> Option<(Assignment, usize)> {
        let eta = self.growth.factor(1) as usize;
        let (_, lower) = self.rungs.split_last_mut()?;
        let mut lower = lower.iter_mut().enumerate().rev();
        lower.find_map(|(number, rung)| Some((rung.promote(rung.tried.len() / eta)?, number + 1)))
    }

    /// Where all is told and no network had the most epochs: the best of those that had the most of all.
    fn last(&mut self) -> Option<(Assignment, usize)> {
        let (top, lower) = self.rungs.split_last_mut()?;
        if self.open > 0 || !top.tried.is_empty() {
            return None;
        }
        let mut lower = lower.iter_mut().enumerate().rev();
        lower.find_map(|(number, rung)| Some((rung.promote(1)?, number + 1)))
    }

    /// The number of the budget of so many epochs.
    fn rung(&self, epochs: u32) -> Option<usize> {
        let steps = self.growth.steps;
        let left = (0..=steps).find(|&left| self.growth.epochs(left) == epochs)?;
        Some((steps - left) as usize)
    }
}

impl Strategy for Asha<'_> {
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        if self.is_over {
            return Ok(None);
        }
        if let Some((network, rung)) = self.promoted() {
            return Ok(Some(self.trial(network, rung)));
        }
        if self.drawn < self.networks
            && let Some(network) = self.known.draw(rng)?
        {
            self.known.open(&network);
            self.drawn += 1;
            return Ok(Some(self.trial(network, 0)));
        }
        if let Some((network, rung)) = self.last() {
            return Ok(Some(self.trial(network, rung)));
        }
        self.is_over = self.open == 0;
        Ok(None)
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.open = self.open.saturating_sub(1);
        self.told += 1;
        let rung = self.rung(outcome.network.budget.epochs);
        let Some(rung) = rung.and_then(|rung| self.rungs.get_mut(rung)) else { return };
        let value = outcome.values.as_ref().and_then(|values| values.first().copied());
        rung.tried.push(Tried {
            assignment: outcome.assignment.clone(),
            value: value.unwrap_or(f64::NEG_INFINITY),
            is_promoted: false,
        });
    }

    fn trials(&self) -> u32 {
        if self.is_over {
            return self.told;
        }
        let of_rung =
            |step: u32| (self.networks as f64 / self.growth.factor(step)).floor().max(1.0);
        let planned = (0..=self.growth.steps).map(of_rung).sum::<f64>() as u32;
        planned.max(self.told)
    }

    fn conclude(&mut self) -> bool {
        !std::mem::replace(&mut self.is_over, true)
    }
}
