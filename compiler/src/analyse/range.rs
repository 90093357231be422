//! The least and the greatest cost of the networks of a space.

use rustc_hash::FxHashMap as HashMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::elimination::{Semiring, eliminate};
use super::liveness::{Entangled, Liveness};
use crate::check::Checked;
use crate::diagram::{Diagram, Diagrams};
use crate::ir::operation::Operation;
use crate::ir::{NodeKind, Space};
use crate::ops::Op;
use crate::recipe::Measure;
use crate::shape::Shape;

/// Both ends of a measure over all networks of a space; each is the cost of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The greatest.
    pub max: u64,
}

/// A share of the cost, and when it is part of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) cost: u64,
    pub(super) condition: Diagram,
}

/// What the networks cost: a sum of terms, one for each distinct condition.
pub(super) fn terms(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    measure: Measure,
) -> Result<Vec<Term>, Entangled> {
    let mut sums: IndexMap<Diagram, u64> = IndexMap::new();
    let mut add = |condition: Diagram, cost: u128| {
        if cost > 0 {
            // INVARIANT: the checker proved that the sum over all nodes fits into u64.
            let sum = sums.entry(condition).or_default();
            *sum = sum.saturating_add(u64::try_from(cost).unwrap_or(u64::MAX));
        }
    };
    for (id, node) in space.graph.nodes() {
        let NodeKind::Op(op) = &node.kind else { continue };
        let Some(alive) = liveness.node(id) else { continue };
        let operation = Operation::of(space, node, op);
        if let Some((op, inputs, output)) = operation.fixed() {
            add(alive, cost_of(measure, op, &inputs, output));
            continue;
        }
        let conditions = &mut liveness.conditions;
        let cases = operation.cases(conditions, alive);
        for (index, (op, inputs, output)) in operation.combinations(&cases).enumerate() {
            let case = conditions.is(cases.selector, index as u32);
            let condition = conditions.and(alive, case);
            add(condition, cost_of(measure, op, &inputs, output));
        }
        if conditions.is_full() {
            return Err(Entangled);
        }
    }
    Ok(sums.into_iter().map(|(condition, cost)| Term { cost, condition }).collect())
}

fn cost_of(measure: Measure, op: &Op, inputs: &[Shape], output: Shape) -> u128 {
    match measure {
        Measure::Macs => op.macs(inputs, output),
        Measure::Params => op.params(inputs),
    }
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
