//! The exact Pareto front of two measures over all networks of a space.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Checked, DecisionId, Form, Space};

use super::count;
use super::priced::{Price, Priced};
use super::suffixes::{Folding, Suffixes};

/// The networks of which no other is better in one measure and not worse in the other.
pub struct Front {
    first: Assignment,
    base: (i128, i128),
    suffixes: Suffixes<Fronts>,
    points: Points,
}

/// The most points of a front.
const MAX_POINTS: usize = 1 << 17;
/// The most points of all fronts that are kept.
const MAX_KEPT: usize = 1 << 23;

/// The Pareto front of two forms over all networks that are drawn and found, the less of each the better.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds it.
pub fn front(space: &Checked<Space>, a: &Form, b: &Form) -> Result<Front, Entangled> {
    let mut liveness = space.whole_liveness()?;
    let wanted = count::wanted(space, &liveness)?;
    let priced = Priced::new(space, &mut liveness, &[a.clone(), b.clone()], None, &wanted)?;
    let (base, is_empty) = (pair(&priced.base), priced.is_empty);
    let suffixes = Suffixes::new(Fronts::default(), priced)?;
    let points = if is_empty { Points::new(Vec::new()) } else { suffixes.whole() };
    if let Some(step) = suffixes.folding.full.get() {
        return Err(Entangled::new((step..suffixes.decisions()).map(DecisionId::new)));
    }
    Ok(Front { first: space.first_assignment(), base, suffixes, points })
}

impl Front {
    /// The points, by rising first measure and falling second.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (i128, i128)> {
        self.points.list.iter().map(|point| plus(*point, self.base))
    }

    /// A network at a point of the front.
    #[must_use]
    pub fn network(&self, index: usize) -> Option<Assignment> {
        let mut left = *self.points.list.get(index)?;
        let mut assignment = self.first.clone();
        for index in 0..self.suffixes.decisions() {
            let decision = DecisionId::new(index);
            let candidates = self.suffixes.candidates(decision, &mut assignment);
            let way = candidates.iter().enumerate().find_map(|(candidate, part)| {
                let (price, after) = part.as_ref()?;
                let (a, b) = pair(price);
                let rest = (left.0 - a, left.1 - b);
                after.list.binary_search(&rest).ok().map(|_| (candidate, rest))
            });
            let (candidate, rest) = way?;
            assignment.set(decision, candidate);
            left = rest;
        }
        Some(assignment)
    }
}

fn pair(price: &Price) -> (i128, i128) {
    (price.cost(0), price.cost(1))
}

fn plus(a: (i128, i128), b: (i128, i128)) -> (i128, i128) {
    (a.0 + b.0, a.1 + b.1)
}

/// Points of which none is better than another: the first rises, the second falls.
#[derive(Debug, Clone)]
struct Points {
    hash: u64,
    list: Arc<[(i128, i128)]>,
}

impl Points {
    fn new(list: Vec<(i128, i128)>) -> Self {
        let mut hasher = rustc_hash::FxHasher::default();
        list.hash(&mut hasher);
        Self { hash: hasher.finish(), list: list.into() }
    }
}

impl PartialEq for Points {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.list, &other.list) || (self.hash == other.hash && self.list == other.list)
    }
}

impl Eq for Points {}

impl Hash for Points {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The fronts of completions.
#[derive(Debug, Default)]
struct Fronts {
    kept: std::cell::Cell<usize>,
    /// The step that had too many points.
    full: std::cell::Cell<Option<usize>>,
}

impl Folding for Fronts {
    type Weight = Price;
    type Value = Points;

    fn end(&self) -> Points {
        Points::new(vec![(0, 0)])
    }

    fn join(&self, step: usize, parts: &[(Points, Price, u32)]) -> Points {
        if self.full.get().is_some() {
            return Points::new(Vec::new());
        }
        let shifted = parts.iter().flat_map(|(points, price, _)| {
            let by = pair(price);
            points.list.iter().map(move |&point| plus(point, by))
        });
        let mut all: Vec<(i128, i128)> = shifted.collect();
        all.sort_unstable();
        let mut least = i128::MAX;
        all.retain(|(_, second)| {
            let is_better = *second < least;
            least = least.min(*second);
            is_better
        });
        self.kept.set(self.kept.get() + all.len());
        if all.len() > MAX_POINTS || self.kept.get() > MAX_KEPT {
            self.full.set(Some(step));
        }
        Points::new(all)
    }
}
