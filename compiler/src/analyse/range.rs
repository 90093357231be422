//! The least and the greatest cost of the networks of a space.

use rustc_hash::FxHashMap as HashMap;

use serde::Serialize;

use super::elimination::{Semiring, eliminate};
use super::liveness::{Entangled, Liveness};
use super::terms::{Term, terms};
use crate::check::Checked;
use crate::diagram::{Diagram, Diagrams};
use crate::ir::Space;
use crate::measure::Measure;

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

/// The exact range of a measure.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn range(space: &Checked<Space>, measure: Measure) -> Result<Range, Entangled> {
    let mut liveness = Liveness::of(space)?;
    let widths: Vec<usize> = space.decisions.iter().map(|d| d.candidates.len()).collect();
    let mut store = Diagrams::default();
    let factors: Vec<Diagram> = terms(space, &mut liveness, measure)?
        .into_iter()
        .map(|Term { cost, condition }| {
            let cost_where = |alive: &u32| if *alive != 0 { cost } else { 0 };
            liveness.conditions.map(condition, &mut store, &cost_where, &mut HashMap::default())
        })
        .collect();
    let extreme = |greatest| {
        eliminate(&Extreme { greatest }, store.clone(), factors.clone(), &widths).map(|e| e.value)
    };
    Ok(Range { min: extreme(false)?, max: extreme(true)? })
}
