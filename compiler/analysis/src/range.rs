//! The least and the greatest cost of the networks of a space.

use nas_ir::diagram::{Diagram, Entangled};
use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::{Assignment, Checked, DecisionId, IdVec, Measure, Space};
use serde::Serialize;

use super::elimination::{Semiring, eliminate};
use super::minibuckets;
use super::terms::{Terms, terms};

/// Both ends of a measure over all networks of a space; each is the cost of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The greatest.
    pub max: u64,
}

/// Sums of costs, of which the least or the greatest is kept.
struct Extreme {
    greatest: bool,
}

impl Semiring for Extreme {
    type Value = u64;

    fn one(&self) -> u64 {
        0
    }

    fn combine(&self, a: &u64, b: &u64) -> u64 {
        a.saturating_add(*b)
    }

    fn summarise(&self, a: &u64, b: &u64) -> u64 {
        if self.greatest { *a.max(b) } else { *a.min(b) }
    }

    fn repeat(&self, value: &u64, _candidates: usize) -> u64 {
        *value
    }
}

/// The exact range of a measure that is a sum.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn range(space: &Checked<Space>, measure: Measure) -> Result<Range, Entangled> {
    of_terms(space, &terms(space, &mut space.whole_liveness()?, measure)?)
}

/// The exact range of a sum of terms.
pub(super) fn of_terms(space: &Space, terms: &Terms) -> Result<Range, Entangled> {
    Factors { terms, widths: space.widths() }.range()
}

/// The range of a measure that is a sum: exact where tables of bounded size hold the answer, else
/// between what mini-buckets prove and what a network that was found has.
///
/// # Errors
/// [`Entangled`] where not even the terms of the sum can be held.
pub fn sum_range(space: &Checked<Space>, measure: Measure) -> Result<BoundedRange, Entangled> {
    let terms = terms(space, &mut space.whole_liveness()?, measure)?;
    let factors = Factors { terms: &terms, widths: space.widths() };
    let end = |greatest| {
        factors.extreme(greatest).map(Bounds::exactly).or_else(|_| {
            let Terms { store, functions } = &terms;
            let proved = minibuckets::bound(store.clone(), functions, &factors.widths, greatest)?;
            let found = factors.found(space.first_assignment(), greatest);
            let (at_least, at_most) = if greatest { (found, proved) } else { (proved, found) };
            Ok(Bounds { at_least, at_most })
        })
    };
    Ok(BoundedRange { min: end(false)?, max: end(true)? })
}

/// The terms of a sum, and how many candidates each decision has.
struct Factors<'t> {
    terms: &'t Terms,
    widths: IdVec<DecisionId, usize>,
}

impl Factors<'_> {
    fn range(&self) -> Result<Range, Entangled> {
        Ok(Range { min: self.extreme(false)?, max: self.extreme(true)? })
    }

    fn extreme(&self, greatest: bool) -> Result<u64, Entangled> {
        let Terms { store, functions } = self.terms.clone();
        Ok(eliminate(&Extreme { greatest }, store, functions, &self.widths)?.value)
    }

    /// The cost of a network that no change of one decision makes cheaper, or dearer.
    fn found(&self, mut network: Assignment, greatest: bool) -> u64 {
        let Terms { store, functions } = self.terms;
        let mut readers = self.widths.map(|_| Vec::new());
        for &factor in functions {
            for decision in store.decisions(factor) {
                readers[decision].push(factor);
            }
        }
        let sum = |factors: &[Diagram], network: &Assignment| -> u64 {
            factors.iter().map(|&factor| store.value(factor, network)).sum()
        };
        let mut is_better = true;
        while is_better {
            is_better = false;
            for (decision, readers) in readers.iter() {
                let before = (sum(readers, &network), network.get(decision));
                let tried = (0..self.widths[decision]).map(|candidate| {
                    network.set(decision, candidate);
                    (sum(readers, &network), candidate)
                });
                let best = if greatest { tried.max() } else { tried.min() };
                let is_gain = |a: u64, b: u64| if greatest { a > b } else { a < b };
                let best = best.filter(|best| is_gain(best.0, before.0)).unwrap_or(before);
                network.set(decision, best.1);
                is_better |= best != before;
            }
        }
        sum(functions, &network)
    }
}
