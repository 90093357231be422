//! Tables over budgets: for each budget that is left, what is known about the completions that
//! stay within it (the dynamic programme of the knapsack problem, Bellman 1957).
//!
//! A budget is counted in cells of a grid, one dimension for each limit. Where the costs fall on a
//! grid that is small enough, tables are exact. Else they are rounded: down, so that all completions
//! within the budget are there and perhaps some more; or up, so that only such are there.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use nas_ir::diagram::Entangled;
use nas_ir::{IdVec, fault};
use num_integer::Integer;

use super::priced::{Price, Priced, Spans, total};
use super::suffixes::{Folding, Suffixes};

/// Where costs go that lie between two lines of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To the next lower line.
    Down,
    /// To the next higher line.
    Up,
}

/// What a candidate takes from the budget, in cells of each dimension.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cells {
    pub(super) cells: Vec<usize>,
    /// What it adds, not rounded.
    pub(super) price: Price,
}

impl Cells {
    /// What it takes along a dimension.
    fn of(&self, row: usize) -> usize {
        *self.cells.get(row).unwrap_or_else(|| fault("a price without one of its dimensions"))
    }

    /// What this leaves of a budget.
    pub(super) fn left(&self, budget: &[i128]) -> Vec<i128> {
        budget.iter().zip(&self.cells).map(|(left, &taken)| left - taken as i128).collect()
    }
}

/// The grid of some limits.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// The size of a cell, by dimension.
    pub(super) steps: Vec<i128>,
    /// The budget in cells, by dimension; negative where no network keeps a limit.
    pub(super) budget: Vec<i128>,
    /// Whether all costs fall on lines of the grid.
    pub(super) is_exact: bool,
    /// For each decision, and after the last, the sizes of its table.
    sizes: IdVec<usize, Vec<usize>>,
}

/// The most cells that all tables together have, and the most that are added up to make them.
const MAX_CELLS: f64 = 16e6;
const MAX_ADDITIONS: f64 = 3e8;
/// A table has at least so many cells, whatever it takes.
const MIN_CELLS: f64 = 64.0;

impl Grid {
    /// The grid of limits, one for each form of the prices; these are settled, and `spans`
    /// are the most that each decision adds. A cell is `dearness` times as dear as one of 128
    /// bits.
    ///
    /// # Errors
    /// [`Entangled`] where too many tables are needed, whatever their size.
    fn new(
        priced: &Priced<Price>,
        spans: &Spans,
        limits: &[i128],
        dearness: f64,
        rounding: Rounding,
    ) -> Result<(Self, Priced<Cells>), Entangled> {
        let rooms = limits.iter().zip(&priced.base.costs).map(|(most, base)| most - base);
        let rooms = rooms.enumerate().map(|(row, room)| room.min(total(spans, row)));
        let rooms: Vec<i128> = rooms.collect();
        let natural: Vec<i128> = (0..rooms.len()).map(|row| natural_step(priced, row)).collect();
        let max_cells = affordable(priced, spans, &rooms)? / dearness;
        let steps = coarsened(&natural, &rooms, max_cells.max(MIN_CELLS));
        let budget = rooms.iter().zip(&steps).map(|(room, step)| Integer::div_floor(room, step));
        let budget: Vec<i128> = budget.collect();
        let cells = |price: &Price| Cells {
            cells: price
                .costs
                .iter()
                .zip(&steps)
                .map(|(&c, &s)| to_cells(c, s, rounding))
                .collect(),
            price: price.clone(),
        };
        let gridded = priced.map(cells(&priced.base), &cells);
        let sizes = sizes(&gridded, &budget);
        let is_exact = steps == natural;
        Ok((Self { steps, budget, is_exact, sizes }, gridded))
    }

    /// The sizes of the table before a decision.
    fn sizes(&self, step: usize) -> &[usize] {
        &self.sizes[step]
    }

    /// The place in the table before a decision where this budget is left; `None` if a limit is
    /// broken already.
    fn place(&self, step: usize, budget: &[i128]) -> Option<usize> {
        let mut place = 0;
        for (&size, &left) in self.sizes(step).iter().zip(budget) {
            let left = usize::try_from(left).ok()?;
            place = place * size + left.min(size - 1);
        }
        Some(place)
    }
}

fn to_cells(cost: i128, step: i128, rounding: Rounding) -> usize {
    let cells = match rounding {
        Rounding::Down => Integer::div_floor(&cost, &step),
        Rounding::Up => Integer::div_ceil(&cost, &step),
    };
    // What is in the base may be less than nothing; it takes nothing from a budget.
    usize::try_from(cells.max(0)).unwrap_or(usize::MAX)
}

/// The greatest step on whose multiples all costs of a form lie.
fn natural_step(priced: &Priced<Price>, row: usize) -> i128 {
    let costs = priced.own.rows().iter().flat_map(|&own| priced.weights(own));
    let costs = costs.map(|price| price.cost(row));
    costs.fold(0i128, |step, cost| step.gcd(&cost)).max(1)
}

/// Multiples of the natural steps, such that a table over all rooms has few enough cells. The
/// dimensions that need the fewest cells keep their natural step first.
fn coarsened(natural: &[i128], rooms: &[i128], max_cells: f64) -> Vec<i128> {
    let mut steps = natural.to_vec();
    let cells = |row: usize| match (rooms.get(row), natural.get(row)) {
        (Some(room), Some(step)) => (room / step).max(0) + 1,
        _ => 1,
    };
    let mut rows: Vec<usize> = (0..natural.len()).collect();
    rows.sort_by_key(|&row| cells(row));
    let mut left = max_cells;
    for (index, &row) in rows.iter().enumerate() {
        let share = left.powf(1.0 / (rows.len() - index) as f64).floor().max(2.0);
        let factor = Integer::div_ceil(&cells(row), &(share as i128));
        left /= (cells(row) as f64 / factor as f64).max(1.0);
        steps.get_mut(row).into_iter().for_each(|step| *step *= factor);
    }
    steps
}

/// How many cells a table over all rooms may have. How many tables there are, and how many of
/// their predecessors each adds up, is counted on fingerprints that stand for tables.
fn affordable(priced: &Priced<Price>, spans: &Spans, rooms: &[i128]) -> Result<f64, Entangled> {
    let counts = RefCell::new(IdVec::filled(priced.own.len(), (0.0, 0.0)));
    Suffixes::fold(&Fingerprints { counts: &counts }, priced)?;
    let mut after = vec![0i128; rooms.len()];
    let (mut additions, mut cells) = (0.0, 0.0);
    for ((added, tables), span) in counts.into_inner().into_iter().zip(spans.rows()).rev() {
        after.iter_mut().zip(span).for_each(|(after, span)| *after += span);
        let shares =
            after.iter().zip(rooms).map(|(&after, &room)| after as f64 / room.max(1) as f64);
        let share: f64 = shares.map(|share| share.min(1.0)).product();
        additions += added * share;
        cells += tables * share;
    }
    Ok((MAX_ADDITIONS / additions.max(1.0)).min(MAX_CELLS / cells.max(1.0)))
}

/// Stands for tables, of which it counts for each step how many are added up, and how many are made.
struct Fingerprints<'c> {
    counts: &'c RefCell<IdVec<usize, (f64, f64)>>,
}

impl Folding for Fingerprints<'_> {
    type Weight = Price;
    type Value = u64;

    fn end(&self) -> u64 {
        1
    }

    fn join(&self, step: usize, parts: &[(u64, Price, u32)]) -> u64 {
        let (added, tables) = &mut self.counts.borrow_mut()[step];
        *added += parts.len() as f64;
        *tables += 1.0;
        let hash = |part| rustc_hash::FxBuildHasher.hash_one(part);
        // The order of the parts makes no difference.
        parts.iter().map(hash).fold(step as u64, u64::wrapping_add)
    }
}

/// No table needs more cells than the decisions after it can take, nor than there is budget.
fn sizes(priced: &Priced<Cells>, budget: &[i128]) -> IdVec<usize, Vec<usize>> {
    let mut most = vec![0usize; budget.len()];
    // A table of a limit that no network keeps has one cell.
    let budget = budget.iter().map(|&cells| usize::try_from(cells.max(0)).unwrap_or(usize::MAX));
    let budget: Vec<usize> = budget.collect();
    let size = |most: &[usize]| most.iter().zip(&budget).map(|(m, b)| m.min(b) + 1).collect();
    let mut sizes = vec![size(&most)];
    for &own in priced.own.rows().iter().rev() {
        for (row, most) in most.iter_mut().enumerate() {
            // A decision of which no candidate is in a network takes nothing.
            let cells = priced.weights(own).map(|weight| weight.of(row)).max().unwrap_or(0);
            *most = most.saturating_add(cells);
        }
        sizes.push(size(&most));
    }
    sizes.reverse();
    sizes.into()
}

/// What is known about a set of completions, and how two sets are united.
pub(super) trait Algebra {
    /// What is known.
    type Cell: Clone + Eq + Hash;
    /// How much dearer a cell is than one of 128 bits.
    const DEARNESS: f64;
    /// About no completion.
    fn none(&self) -> Self::Cell;
    /// About the one completion that has nothing left to decide.
    fn end(&self) -> Self::Cell;
    /// Adds to each cell the completions that begin with a candidate of this price and go on as the
    /// cell of `rests` at the same place says, `times` over.
    fn add(&self, sums: &mut [Self::Cell], rests: &[Self::Cell], price: &Price, times: u32);
}

/// A table, one cell for each budget. Comparing tables is quick where they differ.
#[derive(Debug, Clone)]
pub(super) struct Table<C> {
    hash: u64,
    /// In a vector, since a table may be large, and a slice in an `Arc` is a copy.
    cells: Arc<Vec<C>>,
}

/// Of so many cells, one is hashed: tables that differ nearly always differ nearly everywhere.
const HASHED: usize = 16;

impl<C: Hash> Table<C> {
    fn new(cells: Vec<C>) -> Self {
        let mut hasher = rustc_hash::FxHasher::default();
        cells.len().hash(&mut hasher);
        cells.iter().rev().step_by(HASHED).for_each(|cell| cell.hash(&mut hasher));
        Self { hash: hasher.finish(), cells: Arc::new(cells) }
    }

    /// The cells, the budget of the first dimension running slowest.
    pub(super) fn cells(&self) -> &[C] {
        &self.cells
    }
}

impl<C: PartialEq> PartialEq for Table<C> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cells, &other.cells)
            || (self.hash == other.hash && self.cells == other.cells)
    }
}

impl<C: Eq> Eq for Table<C> {}

impl<C> Hash for Table<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Tables over the budgets of a grid.
pub(super) struct Budgets<A> {
    pub(super) grid: Grid,
    pub(super) algebra: A,
}

impl<A: Algebra> Budgets<A> {
    /// The tables of the networks that keep limits, one for each form of the prices; `spans` are
    /// the most that each decision adds.
    ///
    /// # Errors
    /// [`Entangled`] where too many tables are needed, whatever their size.
    pub(super) fn new(
        algebra: A,
        (priced, spans): (&Priced<Price>, &Spans),
        limits: &[i128],
        rounding: Rounding,
    ) -> Result<(Self, Priced<Cells>), Entangled> {
        let (grid, cells) = Grid::new(priced, spans, limits, A::DEARNESS, rounding)?;
        Ok((Self { grid, algebra }, cells))
    }

    /// What is known about the completions from a decision on that keep within a budget.
    pub(super) fn known(&self, step: usize, table: &Table<A::Cell>, budget: &[i128]) -> A::Cell {
        match self.grid.place(step, budget) {
            Some(place) => match table.cells().get(place) {
                Some(cell) => cell.clone(),
                None => fault("a table of another step"),
            },
            None => self.algebra.none(),
        }
    }
}

impl<A: Algebra> Folding for Budgets<A> {
    type Weight = Cells;
    type Value = Table<A::Cell>;

    fn end(&self) -> Self::Value {
        Table::new(vec![self.algebra.end()])
    }

    fn join(&self, step: usize, parts: &[(Self::Value, Cells, u32)]) -> Self::Value {
        let (sizes, rest_sizes) = (self.grid.sizes(step), self.grid.sizes(step + 1));
        let mut sum = Vec::with_capacity(sizes.iter().product());
        let parts = parts.iter().map(|(rest, Cells { cells, price }, times)| Shifted {
            cells: rest.cells(),
            by: cells,
            price,
            times: *times,
        });
        self.push_sum(&mut sum, sizes, rest_sizes, &parts.collect::<Vec<_>>());
        Table::new(sum)
    }
}

/// A table, or a row of one, that is added to another at the budgets that are left after a shift.
struct Shifted<'t, C> {
    cells: &'t [C],
    /// The shift, by dimension.
    by: &'t [usize],
    price: &'t Price,
    times: u32,
}

/// Cells that are summed up while they are in the nearest cache.
const BLOCK: usize = 1024;

impl<A: Algebra> Budgets<A> {
    /// Appends the sum of tables of some sizes. A budget beyond a table is as good as the greatest
    /// in it.
    fn push_sum(
        &self,
        sum: &mut Vec<A::Cell>,
        sizes: &[usize],
        rest_sizes: &[usize],
        parts: &[Shifted<'_, A::Cell>],
    ) {
        match (sizes, rest_sizes) {
            ([size, inner @ ..], [rest_size, rest_inner @ ..]) if !inner.is_empty() => {
                let rest_row = rest_inner.iter().product::<usize>();
                for index in 0..*size {
                    let rows = parts.iter().filter_map(|part| {
                        let (&by, inner) = part.by.split_first()?;
                        let from = index.checked_sub(by)?.min(rest_size - 1) * rest_row;
                        let cells = part.cells.get(from..from + rest_row)?;
                        Some(Shifted { cells, by: inner, ..*part })
                    });
                    self.push_sum(sum, inner, rest_inner, &rows.collect::<Vec<_>>());
                }
            }
            _ => {
                // Without a dimension, one cell.
                let size = sizes.first().copied().unwrap_or(1);
                let mut block = vec![self.algebra.none(); BLOCK.min(size)];
                for start in (0..size).step_by(BLOCK) {
                    block.truncate(size - start);
                    block.fill(self.algebra.none());
                    parts.iter().for_each(|part| self.add_row(&mut block, start, part));
                    sum.extend_from_slice(&block);
                }
            }
        }
    }

    /// Adds a table of one dimension to the cells from `start` on of another.
    fn add_row(&self, sum: &mut [A::Cell], start: usize, part: &Shifted<'_, A::Cell>) {
        let Shifted { cells, by, price, times } = part;
        let by = by.first().copied().unwrap_or(0);
        let sum = sum.get_mut(by.saturating_sub(start)..).unwrap_or_default();
        let rest = cells.get(start.saturating_sub(by)..).unwrap_or_default();
        let (inside, beyond) = sum.split_at_mut(rest.len().min(sum.len()));
        self.algebra.add(inside, rest, price, *times);
        if let Some(last) = cells.last() {
            beyond.chunks_mut(1).for_each(|sum| {
                self.algebra.add(sum, std::slice::from_ref(last), price, *times);
            });
        }
    }
}
