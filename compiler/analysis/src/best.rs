//! The best network that keeps limits, by scores that add up over decisions.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Checked, DecisionId, Form, Limit, Space};

use super::budget::{Algebra, Budgets, Cells, Rounding};
use super::limits;
use super::limits::{Ready, keeps};
use super::priced::Price;
use super::suffixes::Suffixes;

/// The best network found.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Its decisions; those that make no difference in it take their first candidate.
    pub assignment: Assignment,
    /// Its score.
    pub score: f64,
    /// No network that keeps the limits has a higher score: equal to `score`, unless the search
    /// was cut short because the limits leave too many networks that are nearly as good.
    pub bound: f64,
}

/// The network of the highest score that keeps all limits; `None` if none was found.
/// `scores` has one row per decision and one entry per candidate (log-probabilities, say); the score of a
/// network is the sum over the decisions that make a difference in it.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn best_under(
    space: &Checked<Space>,
    scores: &[Vec<f64>],
    limits: &[Limit],
) -> Result<Option<Best>, Entangled> {
    Ready::run(space, limits, limits::Score::Sum(scores), Rounding::Down, |ready| {
        best(space, &ready).map(|found| found.best)
    })
}

/// The network of the highest score among those that keep the space's requirements; `None` if none
/// was found.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn best_kept(
    space: &Checked<Space>,
    scores: &[Vec<f64>],
) -> Result<Option<Assignment>, Entangled> {
    let limits: Vec<Limit> = space.requirements.iter().map(|r| r.limit.clone()).collect();
    Ok(best_under(space, scores, &limits)?.map(|best| best.assignment))
}

/// The network with the least of a form that keeps all limits; `None` if none was found.
/// The score of what is found is the form's value with its sign changed.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn least_under(
    space: &Checked<Space>,
    form: &Form,
    limits: &[Limit],
) -> Result<Option<Best>, Entangled> {
    find_least(space, form, limits).map(|found| found.best)
}

/// As [`least_under`], and whether the search was cut short.
pub(super) fn find_least(
    space: &Checked<Space>,
    form: &Form,
    limits: &[Limit],
) -> Result<Found, Entangled> {
    Ready::run(space, limits, limits::Score::Least(form), Rounding::Down, |ready| {
        best(space, &ready)
    })
}

/// What a search came to.
pub(super) struct Found {
    pub(super) best: Option<Best>,
    /// Whether it ended before it had looked at all that might be better.
    pub(super) is_cut: bool,
}

/// A score as a cell of tables: that of the best completion.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score(f64);

// No score is NaN.
impl Eq for Score {}

impl Hash for Score {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Both zeros are equal.
        (self.0 + 0.0).to_bits().hash(state);
    }
}

/// The scores of the best completions.
struct Maximum;

impl Algebra for Maximum {
    type Cell = Score;

    const DEARNESS: f64 = 1.0;

    fn none(&self) -> Score {
        Score(f64::NEG_INFINITY)
    }

    fn end(&self) -> Score {
        Score(0.0)
    }

    fn add(&self, best: &mut [Score], rests: &[Score], price: &Price, _times: u32) {
        for (best, rest) in best.iter_mut().zip(rests) {
            best.0 = best.0.max(rest.0 + price.score);
        }
    }
}

fn best(space: &Checked<Space>, ready: &Ready) -> Result<Found, Entangled> {
    let Ready { priced, spans, most, open } = ready;
    if priced.is_empty {
        return Ok(Found { best: None, is_cut: false });
    }
    let (budgets, cells) = Budgets::new(Maximum, (priced, spans), most, Rounding::Down)?;
    let budget = budgets.grid.budget.clone();
    let tables = Suffixes::new(budgets, cells)?;
    let bound = tables.folding.known(0, &tables.whole(), &budget).0;
    let start =
        Partial { candidate: 0, decided: 0, score: 0.0, bound, budget, left: ready.rooms() };
    let is_kept = |assignment: &Assignment| keeps(space, open, assignment);
    let (open, best, assignment) = (vec![start], None, space.first_assignment());
    let mut search =
        Search { tables: &tables, is_kept: &is_kept, best, open, assignment, visited: 0 };
    let found = search.run();
    let best = found.map(|best| Best {
        score: best.score + priced.base.score,
        bound: best.bound + priced.base.score,
        ..best
    });
    Ok(Found { best, is_cut: !search.open.is_empty() })
}

/// Decisions that are made, up to one.
struct Partial {
    /// What the last of them takes; what those before it take, the search knows.
    candidate: usize,
    decided: usize,
    score: f64,
    /// No completion has a higher score.
    bound: f64,
    /// What is left of the budget in cells.
    budget: Vec<i128>,
    /// What is left of it exactly.
    left: Vec<i128>,
}

/// Branch and bound (Land and Doig 1960), depth first. The tables bound the completions; where
/// they are exact, the first network found is the best.
struct Search<'t> {
    tables: &'t Suffixes<Budgets<Maximum>>,
    /// Looks at a network as a whole, for limits that the tables do not know.
    is_kept: &'t dyn Fn(&Assignment) -> bool,
    best: Option<Best>,
    /// The most promising one is last. Of those before the last decision of one, the candidates are in
    /// `assignment` when its turn comes, as it is depth first.
    open: Vec<Partial>,
    assignment: Assignment,
    visited: usize,
}

/// So many partial networks are looked at. A look at a whole network, for limits that the tables do
/// not know, takes as long as so many of them.
const MAX_VISITED: usize = 500_000;
const WHOLE: usize = 100;

impl Search<'_> {
    fn run(&mut self) -> Option<Best> {
        while let Some(next) = self.open.pop() {
            if next.bound == f64::NEG_INFINITY || !self.beats(next.bound) {
                continue;
            }
            self.visited += 1;
            if self.visited > MAX_VISITED {
                self.open.push(next);
                break;
            }
            if let Some(last) = next.decided.checked_sub(1) {
                self.assignment.set(DecisionId::new(last), next.candidate);
            }
            if next.decided == self.tables.decisions() {
                let Partial { score, .. } = next;
                self.visited += WHOLE;
                if (self.is_kept)(&self.assignment) {
                    let assignment = self.assignment.clone();
                    self.best = Some(Best { assignment, score, bound: score });
                }
            } else {
                self.branch(&next);
            }
        }
        let open = self.open.iter().map(|partial| partial.bound);
        let bound = open.fold(f64::NEG_INFINITY, f64::max);
        self.best.take().map(|best| Best { bound: best.bound.max(bound), ..best })
    }

    /// Whether a bound leaves room for a network that is better than the best: by more than the
    /// last digits of sums in another order.
    fn beats(&self, bound: f64) -> bool {
        self.best.as_ref().is_none_or(|best| bound > best.score + 1e-12 * best.score.abs())
    }

    fn branch(&mut self, partial: &Partial) {
        let decision = DecisionId::new(partial.decided);
        let candidates = self.tables.candidates(decision, &mut self.assignment);
        let mut next: Vec<Partial> = candidates
            .iter()
            .enumerate()
            .filter_map(|(candidate, part)| {
                let (weight, table) = part.as_ref()?;
                let mut next = partial.after(candidate, weight)?;
                let rest = self.tables.folding.known(next.decided, table, &next.budget);
                next.bound = next.score + rest.0;
                Some(next)
            })
            .collect();
        next.sort_by(|a, b| a.bound.partial_cmp(&b.bound).unwrap_or(Ordering::Equal));
        self.open.append(&mut next);
    }
}

impl Partial {
    /// With one more decision made; `None` if a limit is broken.
    fn after(&self, candidate: usize, weight: &Cells) -> Option<Self> {
        let left = self.left.iter().zip(&weight.price.costs).map(|(left, cost)| left - cost);
        let left: Vec<i128> = left.collect();
        left.iter().all(|left| *left >= 0).then(|| Self {
            candidate,
            decided: self.decided + 1,
            score: self.score + weight.price.score,
            bound: f64::NEG_INFINITY,
            budget: weight.left(&self.budget),
            left,
        })
    }
}
