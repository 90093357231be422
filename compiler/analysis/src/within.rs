//! The networks of a space that keep limits: how many there are, and draws among them. Of networks that do
//! not read their input there are none here, unless the space admits them.

use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Checked, DecisionId, Limit, Space};
use num_bigint::BigUint;
use rand::RngCore;

use super::budget::{Budgets, Cells, Rounding};
use super::count::count;
use super::counting::{Count, Counted, Counting, counted};
use super::limits::{Ready, Score, keeps};
use super::listed::Listing;
use super::priced::Price;
use super::sample::pick;
use super::suffixes::Suffixes;

/// How many networks keep limits. Both bounds are equal where the count is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// There are at least so many.
    pub at_least: BigUint,
    /// There are at most so many.
    pub at_most: BigUint,
}

/// How many networks keep all limits. Where costs fall on no grid of bounded size, and limits on the
/// peak of memory or on the depth have no exact condition, there are two bounds.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn count_within(space: &Checked<Space>, limits: &[Limit]) -> Result<Within, Entangled> {
    if let Some([above, below]) = ends(limits) {
        let (above, below) = (count_within(space, &above)?, count_within(space, &below)?);
        if above.is_exact() && below.is_exact() {
            return Ok(Within::exactly(less(&above.at_most, &below.at_most)));
        }
    }
    let (at_most, is_exact) = count_rounded(space, limits, Rounding::Down)?;
    let at_least =
        if is_exact { at_most.clone() } else { count_rounded(space, limits, Rounding::Up)?.0 };
    Ok(Within { at_least, at_most })
}

/// No more networks than this keep all limits: as many, where the count is exact.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn count_at_most(space: &Checked<Space>, limits: &[Limit]) -> Result<BigUint, Entangled> {
    match ends(limits) {
        Some(_) => Ok(count_within(space, limits)?.at_most),
        None => Ok(count_rounded(space, limits, Rounding::Down)?.0),
    }
}

impl Within {
    fn exactly(count: BigUint) -> Self {
        Self { at_least: count.clone(), at_most: count }
    }

    fn is_exact(&self) -> bool {
        self.at_least == self.at_most
    }
}

/// Where limits hold one form from both sides, they are an interval, and one table over that form
/// counts it: those up to its greater end, less those below its lesser end. The limits for both.
fn ends(limits: &[Limit]) -> Option<[Vec<Limit>; 2]> {
    limits.iter().enumerate().find_map(|(index, lower)| {
        let below = lower.denied();
        let upper = limits.iter().position(|limit| limit.form == below.form)?;
        let mut above = limits.to_vec();
        above.remove(index);
        let mut under = limits.to_vec();
        *under.get_mut(upper)? = below;
        under.remove(index);
        Some([above, under])
    })
}

/// The difference, and nothing where an interval is empty.
fn less(a: &BigUint, b: &BigUint) -> BigUint {
    if a > b { a - b } else { BigUint::ZERO }
}

/// A bound on the number of networks that keep all limits, and whether it is that number.
fn count_rounded(
    space: &Checked<Space>,
    limits: &[Limit],
    rounding: Rounding,
) -> Result<(BigUint, bool), Entangled> {
    let all = count(space)?;
    Ready::run(space, limits, Score::Nothing, rounding, |ready| {
        if ready.priced.is_empty {
            return Ok((BigUint::ZERO, ready.open.is_empty()));
        }
        let (number, is_exact) = counted(&all, CountingWithin { ready: &ready, rounding })?;
        Ok((number, is_exact && ready.open.is_empty()))
    })
}

struct CountingWithin<'r> {
    ready: &'r Ready,
    rounding: Rounding,
}

impl Counted for CountingWithin<'_> {
    type Output = Result<(BigUint, bool), Entangled>;

    fn with<C: Count + 'static>(self) -> Self::Output {
        let Ready { priced, spans, most, .. } = self.ready;
        let algebra = Counting::<C>::default();
        let (budgets, cells) = Budgets::new(algebra, (priced, spans), most, self.rounding)?;
        let rooms = self.ready.rooms();
        if !budgets.grid.is_exact
            && let Some(listed) = Listing::<C>::whole(priced, rooms.clone())
        {
            return Ok((listed.within(&rooms).to_big(), true));
        }
        let table = Suffixes::fold(&budgets, &cells)?;
        let count = budgets.known(0, &table, &budgets.grid.budget).to_big();
        Ok((count, budgets.grid.is_exact))
    }
}

/// Draws among the networks that keep limits, each with the same probability.
pub struct SamplerWithin<'s> {
    space: &'s Checked<Space>,
    counts: Box<dyn Counts>,
    first: Assignment,
    /// Limits that are looked at network by network.
    open: Vec<Limit>,
}

/// What a draw comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draw {
    /// A network.
    Network(Assignment),
    /// No network keeps the limits.
    NoneLeft,
    /// So many draws broke a limit that drawing gave up. It happens only where the networks that
    /// keep the limits are not counted exactly.
    GaveUp(usize),
}

/// So many draws may break a limit, one after the other, before drawing gives up; of those that take
/// a look at a whole network, fewer.
const MAX_REJECTED: usize = 100_000;
const MAX_LOOKS: usize = 5_000;

impl<'s> SamplerWithin<'s> {
    /// Prepares for drawing.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds the counts.
    pub fn new(space: &'s Checked<Space>, limits: &[Limit]) -> Result<Self, Entangled> {
        let first = space.first_assignment();
        if let Some(ends) = ends(limits) {
            let [above, below] = ends.map(|limits| Self::new(space, &limits));
            let (above, below) = (above?, below?);
            if above.is_exact() && below.is_exact() {
                let counts = Box::new(Between { above: above.counts, below: below.counts });
                return Ok(Self { space, counts, first, open: Vec::new() });
            }
        }
        let all = count(space)?;
        Ready::run(space, limits, Score::Nothing, Rounding::Down, |ready| {
            let open = ready.open.clone();
            let counts = counted(&all, Preparing { ready })?;
            Ok(Self { space, counts, first: first.clone(), open })
        })
    }

    /// Whether every network that is drawn keeps the limits.
    fn is_exact(&self) -> bool {
        self.open.is_empty() && self.counts.is_exact()
    }

    /// How many networks there are to draw from: those that keep the limits, and where these are not
    /// counted exactly, some that break them and are drawn again.
    #[must_use]
    pub fn at_most(&self) -> BigUint {
        self.counts.total()
    }

    /// One network.
    pub fn draw(&self, rng: &mut dyn RngCore) -> Draw {
        if self.at_most() == BigUint::ZERO {
            return Draw::NoneLeft;
        }
        let tries = if self.open.is_empty() { MAX_REJECTED } else { MAX_LOOKS };
        let found = (0..tries).find_map(|_| {
            let mut walk = self.counts.walk();
            let mut assignment = self.first.clone();
            for index in 0..self.space.decisions.len() {
                let decision = DecisionId::new(index);
                let chosen = pick(&walk.ways(decision, &mut assignment), rng);
                walk.take(chosen);
                assignment.set(decision, chosen);
            }
            let is_within = walk.is_within();
            drop(walk);
            (is_within && keeps(self.space, &self.open, &assignment)).then_some(assignment)
        });
        found.map_or(Draw::GaveUp(tries), Draw::Network)
    }
}

/// Numbers of networks, from which networks can be drawn.
trait Counts {
    /// Of all.
    fn total(&self) -> BigUint;
    /// Whether only networks are counted that keep the limits.
    fn is_exact(&self) -> bool;
    /// From the first decision to the last.
    fn walk(&self) -> Box<dyn Walk + '_>;
}

/// A way through the decisions, from the first to the last.
trait Walk {
    /// The number of networks with each candidate of the next decision, those before it being made as
    /// in the assignment, in which it then takes any.
    fn ways(&mut self, decision: DecisionId, assignment: &mut Assignment) -> Vec<BigUint>;
    /// Goes on with a candidate.
    fn take(&mut self, candidate: usize);
    /// Whether the network keeps what was counted in cells.
    fn is_within(&self) -> bool;
}

struct Preparing {
    ready: Ready,
}

impl Counted for Preparing {
    type Output = Result<Box<dyn Counts>, Entangled>;

    fn with<C: Count + 'static>(self) -> Self::Output {
        let rooms = self.ready.rooms();
        let Ready { priced, spans, most, .. } = self.ready;
        if priced.is_empty {
            return Ok(Box::new(Nothing));
        }
        let algebra = Counting::<C>::default();
        let (budgets, cells) = Budgets::new(algebra, (&priced, &spans), &most, Rounding::Down)?;
        if !budgets.grid.is_exact
            && let Some(suffixes) = Listing::<C>::all(priced, rooms.clone())
        {
            return Ok(Box::new(ByLists { suffixes, rooms }));
        }
        Ok(Box::new(ByBudgets { suffixes: Suffixes::new(budgets, cells)?, rooms }))
    }
}

/// A condition that no network fulfils leaves nothing to draw.
struct Nothing;

impl Counts for Nothing {
    fn total(&self) -> BigUint {
        BigUint::ZERO
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn walk(&self) -> Box<dyn Walk + '_> {
        Box::new(Self)
    }
}

impl Walk for Nothing {
    fn ways(&mut self, _decision: DecisionId, _assignment: &mut Assignment) -> Vec<BigUint> {
        Vec::new()
    }

    fn take(&mut self, _candidate: usize) {}

    fn is_within(&self) -> bool {
        true
    }
}

/// The networks of an interval: those up to its greater end, less those below its lesser end. Both are
/// counted exactly.
struct Between {
    above: Box<dyn Counts>,
    below: Box<dyn Counts>,
}

impl Counts for Between {
    fn total(&self) -> BigUint {
        less(&self.above.total(), &self.below.total())
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn walk(&self) -> Box<dyn Walk + '_> {
        Box::new(BetweenWalk { above: self.above.walk(), below: self.below.walk() })
    }
}

struct BetweenWalk<'c> {
    above: Box<dyn Walk + 'c>,
    below: Box<dyn Walk + 'c>,
}

impl Walk for BetweenWalk<'_> {
    fn ways(&mut self, decision: DecisionId, assignment: &mut Assignment) -> Vec<BigUint> {
        let mut ways = self.above.ways(decision, assignment);
        // Where nothing is below the interval, the walk there has no ways.
        for (above, below) in ways.iter_mut().zip(self.below.ways(decision, assignment)) {
            *above = less(above, &below);
        }
        ways
    }

    fn take(&mut self, candidate: usize) {
        self.above.take(candidate);
        self.below.take(candidate);
    }

    fn is_within(&self) -> bool {
        self.above.is_within()
    }
}

/// Tables over what is left of the limits in cells.
struct ByBudgets<C: Count> {
    suffixes: Suffixes<Budgets<Counting<C>>>,
    rooms: Vec<i128>,
}

impl<C: Count> Counts for ByBudgets<C> {
    fn total(&self) -> BigUint {
        let budgets = &self.suffixes.folding;
        budgets.known(0, &self.suffixes.whole(), &budgets.grid.budget).to_big()
    }

    fn is_exact(&self) -> bool {
        self.suffixes.folding.grid.is_exact
    }

    fn walk(&self) -> Box<dyn Walk + '_> {
        let budget = self.suffixes.folding.grid.budget.clone();
        let left = self.rooms.clone();
        Box::new(BudgetWalk { suffixes: &self.suffixes, budget, left, next: Vec::new() })
    }
}

struct BudgetWalk<'c, C: Count> {
    suffixes: &'c Suffixes<Budgets<Counting<C>>>,
    /// What is left of the limits, in cells and exactly.
    budget: Vec<i128>,
    left: Vec<i128>,
    /// What each candidate of the next decision adds.
    next: Vec<Option<Cells>>,
}

impl<C: Count> Walk for BudgetWalk<'_, C> {
    fn ways(&mut self, decision: DecisionId, assignment: &mut Assignment) -> Vec<BigUint> {
        let (budgets, after) = (&self.suffixes.folding, decision.index() + 1);
        let candidates = self.suffixes.candidates(decision, assignment);
        let ways = candidates.iter().map(|candidate| {
            let (weight, table) = candidate.as_ref()?;
            Some(budgets.known(after, table, &weight.left(&self.budget)).to_big())
        });
        let ways = ways.map(Option::unwrap_or_default).collect();
        let weights = candidates.into_iter().map(|candidate| candidate.map(|(weight, _)| weight));
        self.next = weights.collect();
        ways
    }

    fn take(&mut self, candidate: usize) {
        let Some(Some(weight)) = self.next.get(candidate) else { return };
        self.budget = weight.left(&self.budget);
        spend(&mut self.left, &weight.price);
    }

    fn is_within(&self) -> bool {
        self.left.iter().all(|left| *left >= 0)
    }
}

fn spend(left: &mut [i128], price: &Price) {
    left.iter_mut().zip(&price.costs).for_each(|(left, cost)| *left -= cost);
}

/// Lists of the sums of completions.
struct ByLists<C: Count> {
    suffixes: Suffixes<Listing<C>>,
    rooms: Vec<i128>,
}

impl<C: Count> Counts for ByLists<C> {
    fn total(&self) -> BigUint {
        self.suffixes.whole().within(&self.rooms).to_big()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn walk(&self) -> Box<dyn Walk + '_> {
        let left = self.rooms.clone();
        Box::new(ListWalk { suffixes: &self.suffixes, left, next: Vec::new() })
    }
}

struct ListWalk<'c, C: Count> {
    suffixes: &'c Suffixes<Listing<C>>,
    left: Vec<i128>,
    /// What each candidate of the next decision adds.
    next: Vec<Option<Price>>,
}

impl<C: Count> Walk for ListWalk<'_, C> {
    fn ways(&mut self, decision: DecisionId, assignment: &mut Assignment) -> Vec<BigUint> {
        let candidates = self.suffixes.candidates(decision, assignment);
        let ways = candidates.iter().map(|candidate| {
            let (price, listed) = candidate.as_ref()?;
            let mut left = self.left.clone();
            spend(&mut left, price);
            Some(listed.within(&left).to_big())
        });
        let ways = ways.map(Option::unwrap_or_default).collect();
        let prices = candidates.into_iter().map(|candidate| candidate.map(|(price, _)| price));
        self.next = prices.collect();
        ways
    }

    fn take(&mut self, candidate: usize) {
        let Some(Some(price)) = self.next.get(candidate) else { return };
        spend(&mut self.left, price);
    }

    fn is_within(&self) -> bool {
        self.left.iter().all(|left| *left >= 0)
    }
}
