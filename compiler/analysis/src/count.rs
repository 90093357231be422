//! How many networks a space has.

use nas_ir::diagram::{Diagram, Diagrams, Entangled};
use nas_ir::liveness::Liveness;
use nas_ir::{Checked, Space};
use num_bigint::BigUint;
use rustc_hash::FxHashMap as HashMap;

use super::elimination::{Eliminated, Semiring, eliminate};

/// The number of networks: of assignments that differ in a decision that makes a difference.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn count(space: &Checked<Space>) -> Result<BigUint, Entangled> {
    eliminated(space).map(|eliminated| eliminated.value)
}

/// Sums and products of counts.
struct Counting;

impl Semiring for Counting {
    type Value = BigUint;

    fn one(&self) -> BigUint {
        BigUint::from(1u32)
    }

    fn combine(&self, a: &BigUint, b: &BigUint) -> BigUint {
        a * b
    }

    fn summarise(&self, a: &BigUint, b: &BigUint) -> BigUint {
        a + b
    }

    fn repeat(&self, value: &BigUint, candidates: usize) -> BigUint {
        value * candidates
    }
}

/// Each network is counted once, at the assignment in which every decision that makes no
/// difference takes its first candidate: for each decision, the condition of that.
pub(super) fn conditions(
    space: &Checked<Space>,
    liveness: &mut Liveness,
) -> Result<Vec<Diagram>, Entangled> {
    let mut counted = Vec::new();
    for (id, decision) in space.decision_ids() {
        let alive = liveness.decision(id);
        let conditions = &mut liveness.conditions;
        let choice = conditions.choice(id, decision.candidates.len());
        let is_first = conditions.is(choice, 0);
        counted.push(conditions.or(alive, is_first));
    }
    liveness.conditions.room().map(|()| counted)
}

pub(super) fn eliminated(space: &Checked<Space>) -> Result<Eliminated<BigUint>, Entangled> {
    let mut liveness = space.liveness()?.clone();
    let mut store = Diagrams::default();
    let mut memo = HashMap::default();
    let factors = conditions(space, &mut liveness)?
        .into_iter()
        .map(|counts| {
            let count = |counts: &u32| BigUint::from(*counts);
            liveness.conditions.map(counts, &mut store, &count, &mut memo)
        })
        .collect();
    eliminate(&Counting, store, factors, &space.widths())
}
