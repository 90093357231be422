//! How a measure is distributed over all networks of a space: exactly, without enumerating them.

use std::sync::Arc;

use nas_ir::diagram::Entangled;
use nas_ir::{Checked, Form, Space, fault};
use num_bigint::BigUint;
use num_traits::Zero;

use super::budget::{Budgets, Rounding, Table};
use super::count::count;
use super::counting::{Count, Counted, Counting, counted};
use super::listed::{Listed, Listing};
use super::priced::{Price, Priced, Spans, total};
use super::suffixes::Suffixes;

/// For every value of a measure, how many networks have at most it.
#[derive(Clone)]
pub struct Distribution {
    base: i128,
    step: i128,
    slack: i128,
    cumulative: Arc<dyn Cumulative>,
}

/// Numbers of networks in intervals of equal width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Where the first interval begins: the least value of any network.
    pub from: i128,
    /// Where the last interval ends, itself in it: the greatest value.
    pub to: i128,
    /// The number of networks in each interval, its lower end in it.
    pub counts: Vec<BigUint>,
    /// By how much the value of a network may be above that which it counts for: 0 where the
    /// histogram is exact.
    pub slack: i128,
}

/// The distribution of a form over the networks of a space, each counted once.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn distribution(space: &Checked<Space>, form: &Form) -> Result<Distribution, Entangled> {
    let mut liveness = space.whole_liveness()?;
    let forms = std::slice::from_ref(form);
    let (priced, spans) = Priced::new(space, &mut liveness, forms, None, &[])?.settled();
    counted(&count(space)?, Distributing { priced: &priced, spans: &spans })
}

struct Distributing<'p> {
    priced: &'p Priced<Price>,
    spans: &'p Spans,
}

impl Counted for Distributing<'_> {
    type Output = Result<Distribution, Entangled>;

    fn with<C: Count + 'static>(self) -> Self::Output {
        let base = self.priced.base.cost(0);
        let span = total(self.spans, 0);
        let parts = (self.priced, self.spans);
        let (budgets, cells) =
            Budgets::new(Counting::<C>::default(), parts, &[base + span], Rounding::Down)?;
        if !budgets.grid.is_exact
            && let Some(listed) = Listing::<C>::whole(self.priced, vec![i128::MAX])
        {
            let cumulative = Arc::new(Sums::new(&listed));
            return Ok(Distribution { base, step: 1, slack: 0, cumulative });
        }
        let &[step] = budgets.grid.steps.as_slice() else { fault("a grid of other dimensions") };
        let slack = if budgets.grid.is_exact { 0 } else { slack(self.priced, step) };
        let cumulative = Arc::new(Suffixes::fold(&budgets, &cells)?);
        Ok(Distribution { base, step, slack, cumulative })
    }
}

/// The most that rounding down takes from a network.
fn slack(priced: &Priced<Price>, step: i128) -> i128 {
    let most = |&own| {
        let costs = priced.weights(own).map(|price: &Price| price.cost(0));
        // A decision of which no candidate is in a network takes nothing.
        costs.map(|cost| cost.rem_euclid(step)).max().unwrap_or(0)
    };
    priced.own.rows().iter().map(most).sum()
}

/// A table of how many networks there are up to each cell.
trait Cumulative: Send + Sync {
    /// The number up to a cell; that of the last for those beyond.
    fn up_to(&self, cell: usize) -> BigUint;
    /// The first cell that counts a network, and the first that counts all.
    fn ends(&self) -> (usize, usize);
}

const NO_CELLS: &str = "a table of no cells";

impl<C: Count> Cumulative for Table<C> {
    fn up_to(&self, cell: usize) -> BigUint {
        let cells = self.cells();
        let cell = cells.get(cell).or(cells.last());
        cell.unwrap_or_else(|| fault(NO_CELLS)).to_big()
    }

    fn ends(&self) -> (usize, usize) {
        let (cells, none) = (self.cells(), C::small(0));
        let all = cells.last().unwrap_or_else(|| fault(NO_CELLS));
        (cells.partition_point(|count| *count == none), cells.partition_point(|count| count < all))
    }
}

/// Sums of costs above the base, each with how many networks have at most it.
struct Sums<C>(Vec<(i128, C)>);

impl<C: Count> Sums<C> {
    fn new(listed: &Listed<C>) -> Self {
        let mut sum = C::small(0);
        let sums = listed.list().iter().map(|(costs, count)| {
            sum.add(count, 1);
            let &[cost] = &**costs else { fault("a list of other sums") };
            (cost, sum.clone())
        });
        Self(sums.collect())
    }
}

impl<C: Count> Cumulative for Sums<C> {
    fn up_to(&self, cell: usize) -> BigUint {
        let number = self.0.partition_point(|(cost, _)| *cost <= cell as i128);
        let last = number.checked_sub(1).and_then(|last| self.0.get(last));
        // No network costs less than the least.
        last.map_or_else(BigUint::zero, |(_, count)| count.to_big())
    }

    fn ends(&self) -> (usize, usize) {
        let cell = |sum: Option<&(i128, C)>| {
            let (cost, _) = sum.unwrap_or_else(|| fault("a distribution of no network"));
            usize::try_from(*cost).unwrap_or(usize::MAX)
        };
        (cell(self.0.first()), cell(self.0.last()))
    }
}

impl Distribution {
    /// The distribution of so many times the measure.
    ///
    /// The factor is positive.
    #[must_use]
    pub fn times(&self, factor: i128) -> Self {
        let Self { base, step, slack, .. } = *self;
        let cumulative = Arc::clone(&self.cumulative);
        Self { base: base * factor, step: step * factor, slack: slack * factor, cumulative }
    }

    /// How many networks have at most this value: exactly, where [`Distribution::slack`] is 0.
    #[must_use]
    pub fn at_most(&self, value: i128) -> BigUint {
        let cell = usize::try_from((value - self.base).div_euclid(self.step));
        cell.map_or_else(|_| BigUint::zero(), |cell| self.cumulative.up_to(cell))
    }

    /// How many networks there are.
    #[must_use]
    pub fn count(&self) -> BigUint {
        self.cumulative.up_to(usize::MAX)
    }

    /// By how much the value of a network may be above that which it counts for.
    #[must_use]
    pub fn slack(&self) -> i128 {
        self.slack
    }

    /// The least value that a network counts for, and the greatest.
    #[must_use]
    pub fn range(&self) -> (i128, i128) {
        let (first, last) = self.cumulative.ends();
        (self.base + first as i128 * self.step, self.base + last as i128 * self.step)
    }

    /// The histogram in so many intervals.
    #[must_use]
    pub fn histogram(&self, intervals: usize) -> Histogram {
        let (from, to) = self.range();
        let intervals = intervals.max(1) as i128;
        let mut before = BigUint::zero();
        let counts = (1..=intervals).map(|index| {
            // Up to the last value before the next interval; in the last one, to its end.
            let end = (to - from) * index;
            let within =
                if index == intervals { to } else { from + (end - 1).div_euclid(intervals) };
            let within = self.at_most(within);
            let count = &within - &before;
            before = within;
            count
        });
        Histogram { counts: counts.collect(), from, to, slack: self.slack }
    }
}
