//! The networks of a space that keep limits: how many there are, and draws among them.

use num_bigint::BigUint;
use rand::RngCore;

use super::budget::{Budgets, Limit, Rounding};
use super::count::count;
use super::counting::{Count, Counted, Counting, counted};
use super::liveness::{Entangled, Liveness};
use super::priced::{Form, Price, Priced, without_idle};
use super::sample::pick;
use super::suffixes::Suffixes;
use crate::assignment::Assignment;
use crate::check::Checked;
use crate::ir::{DecisionId, Space};

/// How many networks keep limits. Both bounds are equal where the count is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// There are at least so many.
    pub at_least: BigUint,
    /// There are at most so many.
    pub at_most: BigUint,
}

/// How many networks keep all limits.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn count_within(space: &Checked<Space>, limits: &[Limit]) -> Result<Within, Entangled> {
    let (priced, spans) = priced(space, limits)?;
    let most: Vec<i128> = limits.iter().map(|limit| limit.most).collect();
    let parts = (&priced, spans.as_slice());
    counted(&count(space)?, CountingWithin { parts, limits: &most })
}

/// The prices in the forms that are limited, settled, with the most that each decision adds.
fn priced(
    space: &Checked<Space>,
    limits: &[Limit],
) -> Result<(Priced<Price>, Vec<Vec<i128>>), Entangled> {
    let mut liveness = Liveness::of(space)?;
    let forms: Vec<Form> = limits.iter().map(|limit| limit.form.clone()).collect();
    let most: Vec<i128> = limits.iter().map(|limit| limit.most).collect();
    let settled = Priced::new(space, &mut liveness, &forms, None)?.settled();
    Ok(without_idle(settled, &most))
}

struct CountingWithin<'p> {
    parts: (&'p Priced<Price>, &'p [Vec<i128>]),
    limits: &'p [i128],
}

impl Counted for CountingWithin<'_> {
    type Output = Result<Within, Entangled>;

    fn with<C: Count + 'static>(self) -> Self::Output {
        let (at_most, is_exact) = self.count::<C>(Rounding::Down)?;
        let at_least = if is_exact { at_most.clone() } else { self.count::<C>(Rounding::Up)?.0 };
        Ok(Within { at_least, at_most })
    }
}

impl CountingWithin<'_> {
    fn count<C: Count + 'static>(&self, rounding: Rounding) -> Result<(BigUint, bool), Entangled> {
        let algebra = Counting::<C>::default();
        let (budgets, cells) = Budgets::new(algebra, self.parts, self.limits, rounding)?;
        let table = Suffixes::fold(&budgets, &cells)?;
        let count = budgets.known(0, &table, &budgets.grid.budget).to_big();
        Ok((count, budgets.grid.is_exact))
    }
}

/// Draws among the networks that keep limits, each with the same probability.
pub struct SamplerWithin {
    counts: Box<dyn Draws>,
    first: Assignment,
    limits: Vec<i128>,
}

/// So many draws may break a limit, one after the other, before drawing gives up. It happens only
/// where the limits do not fall on a grid that is small enough for an exact count.
const MAX_REJECTED: usize = 100_000;

impl SamplerWithin {
    /// Prepares for drawing.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds the counts.
    pub fn new(space: &Checked<Space>, limits: &[Limit]) -> Result<Self, Entangled> {
        let (priced, spans) = priced(space, limits)?;
        let base = &priced.base.costs;
        let most: Vec<i128> = limits.iter().map(|limit| limit.most).collect();
        let left = most.iter().zip(base).map(|(most, base)| most - base).collect();
        let parts = (&priced, spans.as_slice());
        let counts = counted(&count(space)?, Preparing { parts, limits: &most })?;
        Ok(Self { counts, first: Assignment::first(space), limits: left })
    }

    /// How many networks there are to draw from: those that keep the limits, and where the limits
    /// do not fall on a grid that is small enough, some that just break them and are drawn again.
    #[must_use]
    pub fn at_most(&self) -> BigUint {
        self.counts.total()
    }

    /// One network, or `None` where none keeps the limits or too many draws break them.
    pub fn draw(&self, rng: &mut dyn RngCore) -> Option<Assignment> {
        if self.at_most() == BigUint::ZERO {
            return None;
        }
        (0..MAX_REJECTED).find_map(|_| {
            let (assignment, costs) = self.counts.draw(self.first.clone(), rng);
            let keeps = costs.iter().zip(&self.limits).all(|(cost, most)| cost <= most);
            keeps.then_some(assignment)
        })
    }
}

/// Tables of counts from which networks can be drawn.
trait Draws {
    fn total(&self) -> BigUint;
    /// A network, and what it costs above the base.
    fn draw(&self, first: Assignment, rng: &mut dyn RngCore) -> (Assignment, Vec<i128>);
}

struct Preparing<'p> {
    parts: (&'p Priced<Price>, &'p [Vec<i128>]),
    limits: &'p [i128],
}

impl Counted for Preparing<'_> {
    type Output = Result<Box<dyn Draws>, Entangled>;

    fn with<C: Count + 'static>(self) -> Self::Output {
        let algebra = Counting::<C>::default();
        let (budgets, cells) = Budgets::new(algebra, self.parts, self.limits, Rounding::Down)?;
        Ok(Box::new(Suffixes::new(budgets, cells)?))
    }
}

impl<C: Count> Draws for Suffixes<Budgets<Counting<C>>> {
    fn total(&self) -> BigUint {
        self.folding.known(0, &self.whole(), &self.folding.grid.budget).to_big()
    }

    fn draw(&self, mut assignment: Assignment, rng: &mut dyn RngCore) -> (Assignment, Vec<i128>) {
        let mut budget = self.folding.grid.budget.clone();
        let mut costs = vec![0; budget.len()];
        for index in 0..self.decisions() {
            let decision = DecisionId(index as u32);
            let candidates = self.candidates(decision, &assignment);
            let ways = candidates.iter().map(|candidate| {
                let (weight, table) = candidate.as_ref()?;
                Some(self.folding.known(index + 1, table, &weight.left(&budget)).to_big())
            });
            let ways: Vec<BigUint> = ways.map(Option::unwrap_or_default).collect();
            let chosen = pick(&ways, rng);
            let Some(Some((weight, _))) = candidates.get(chosen) else { continue };
            assignment.set(decision, chosen);
            budget = weight.left(&budget);
            costs.iter_mut().zip(&weight.price.costs).for_each(|(sum, cost)| *sum += cost);
        }
        (assignment, costs)
    }
}
