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
    eliminated(space, |_| Ok(Vec::new())).map(|eliminated| eliminated.value)
}

/// The number of networks as they are written: also those count apart that differ only in what a
/// `zero` cuts off.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn count_as_written(space: &Checked<Space>) -> Result<BigUint, Entangled> {
    counted(space, space.liveness_as_written()?, &[]).map(|eliminated| eliminated.value)
}

/// The number of networks of which every output depends on an input.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn count_reading(space: &Checked<Space>) -> Result<BigUint, Entangled> {
    let reading = |liveness: &Liveness| liveness.reads_input().map(|reads| vec![reads]);
    eliminated(space, reading).map(|eliminated| eliminated.value)
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

/// What each network that is drawn or found fulfils beside its limits: it reads its input, unless
/// others are asked for.
pub(super) fn wanted(space: &Space, liveness: &Liveness) -> Result<Vec<Diagram>, Entangled> {
    if space.admits_constant { Ok(Vec::new()) } else { Ok(vec![liveness.reads_input()?]) }
}

/// Counts the networks that fulfil further conditions, and keeps the table of each decision.
pub(super) fn eliminated(
    space: &Checked<Space>,
    further: impl Fn(&Liveness) -> Result<Vec<Diagram>, Entangled>,
) -> Result<Eliminated<BigUint>, Entangled> {
    let liveness = space.liveness()?;
    counted(space, liveness.clone(), &further(liveness)?)
}

fn counted(
    space: &Checked<Space>,
    mut liveness: Liveness,
    further: &[Diagram],
) -> Result<Eliminated<BigUint>, Entangled> {
    let mut store = Diagrams::default();
    let mut memo = HashMap::default();
    let factors = conditions(space, &mut liveness)?
        .iter()
        .chain(further)
        .map(|&counts| {
            let count = |counts: &u32| BigUint::from(*counts);
            liveness.conditions.map(counts, &mut store, &count, &mut memo)
        })
        .collect();
    eliminate(&Counting, store, factors, &space.widths())
}
