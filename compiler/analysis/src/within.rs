//! The networks of a space that keep limits: how many there are, and draws among them.

use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Checked, DecisionId, Limit, Space};
use num_bigint::BigUint;
use rand::RngCore;

use super::budget::{Budgets, Rounding};
use super::count::count;
use super::counting::{Count, Counted, Counting, counted};
use super::limits::{Ready, Score, keeps};
use super::listed::Listing;
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
        if ready.is_empty {
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
    counts: Box<dyn Draws>,
    first: Assignment,
    rooms: Vec<i128>,
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
        let all = count(space)?;
        Ready::run(space, limits, Score::Nothing, Rounding::Down, |ready| {
            let (rooms, first) = (ready.rooms(), space.first_assignment());
            let open = ready.open.clone();
            let counts = counted(&all, Preparing { ready })?;
            Ok(Self { space, counts, first, rooms, open })
        })
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
            let (assignment, costs) = self.counts.draw(self.first.clone(), rng);
            let is_within = costs.iter().zip(&self.rooms).all(|(cost, room)| cost <= room);
            (is_within && keeps(self.space, &self.open, &assignment)).then_some(assignment)
        });
        found.map_or(Draw::GaveUp(tries), Draw::Network)
    }
}

/// Counts from which networks can be drawn.
trait Draws {
    fn total(&self) -> BigUint;
    /// A network, and what it costs above the base.
    fn draw(&self, first: Assignment, rng: &mut dyn RngCore) -> (Assignment, Vec<i128>);
}

struct Preparing {
    ready: Ready,
}

impl Counted for Preparing {
    type Output = Result<Box<dyn Draws>, Entangled>;

    fn with<C: Count + 'static>(self) -> Self::Output {
        let rooms = self.ready.rooms();
        let Ready { priced, spans, most, is_empty, .. } = self.ready;
        if is_empty {
            return Ok(Box::new(Nothing));
        }
        let algebra = Counting::<C>::default();
        let (budgets, cells) = Budgets::new(algebra, (&priced, &spans), &most, Rounding::Down)?;
        if !budgets.grid.is_exact
            && let Some(suffixes) = Listing::<C>::all(priced, rooms.clone())
        {
            return Ok(Box::new(ByLists { suffixes, rooms }));
        }
        Ok(Box::new(Suffixes::new(budgets, cells)?))
    }
}

/// A condition that no network fulfils leaves nothing to draw.
struct Nothing;

impl Draws for Nothing {
    fn total(&self) -> BigUint {
        BigUint::ZERO
    }

    fn draw(&self, first: Assignment, _rng: &mut dyn RngCore) -> (Assignment, Vec<i128>) {
        (first, Vec::new())
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
            let decision = DecisionId::new(index);
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

/// Lists of the sums of completions.
struct ByLists<C: Count> {
    suffixes: Suffixes<Listing<C>>,
    rooms: Vec<i128>,
}

impl<C: Count> Draws for ByLists<C> {
    fn total(&self) -> BigUint {
        self.suffixes.whole().within(&self.rooms).to_big()
    }

    fn draw(&self, mut assignment: Assignment, rng: &mut dyn RngCore) -> (Assignment, Vec<i128>) {
        let mut costs = vec![0; self.rooms.len()];
        for index in 0..self.suffixes.decisions() {
            let decision = DecisionId::new(index);
            let candidates = self.suffixes.candidates(decision, &assignment);
            let ways = candidates.iter().map(|candidate| {
                let (price, listed) = candidate.as_ref()?;
                let taken = costs.iter().zip(&price.costs).map(|(sum, cost)| sum + cost);
                let left = taken.zip(&self.rooms).map(|(taken, room)| room - taken);
                Some(listed.within(&left.collect::<Vec<i128>>()).to_big())
            });
            let ways: Vec<BigUint> = ways.map(Option::unwrap_or_default).collect();
            let chosen = pick(&ways, rng);
            let Some(Some((price, _))) = candidates.get(chosen) else { continue };
            assignment.set(decision, chosen);
            costs.iter_mut().zip(&price.costs).for_each(|(sum, cost)| *sum += cost);
        }
        (assignment, costs)
    }
}
