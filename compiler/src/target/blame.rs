//! Which candidates a space must do without, so that a target runs what is left.

use crate::analyse::liveness::Liveness;
use crate::diagram::Diagram;
use crate::ir::{DecisionId, Space};

/// Candidates, by decision and index; those of outer decisions first.
pub(super) type Candidates = Vec<(DecisionId, usize)>;

/// Why no candidates can be left out so that all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hopeless {
    /// What is wrong does not depend on decisions.
    Everywhere,
    /// Each candidate of a decision would have to go.
    Decision(DecisionId),
}

/// The candidates without which nothing `bad` is left. A candidate goes where all networks with it
/// are bad, those of outer decisions first; where several choices are bad together only, the
/// candidate of the last of them goes.
pub(super) fn blame(
    space: &Space,
    liveness: &mut Liveness,
    bad: Diagram,
) -> Result<Candidates, Hopeless> {
    let always = liveness.conditions.constant(1);
    if bad == always {
        return Err(Hopeless::Everywhere);
    }
    let mut blame = Blame { space, liveness, bad, left: always, gone: Vec::new() };
    for (id, _) in space.decision_ids() {
        blame.alone(id)?;
    }
    while blame.together()? {}
    Ok(blame.gone)
}

struct Blame<'s, 'l> {
    space: &'s Space,
    liveness: &'l mut Liveness,
    bad: Diagram,
    /// Where no candidate is taken that is gone.
    left: Diagram,
    gone: Candidates,
}

impl Blame<'_, '_> {
    fn width(&self, id: DecisionId) -> usize {
        self.space.decision(id).map_or(0, |decision| decision.candidates.len())
    }

    /// Where a decision matters and takes a candidate.
    fn takes(&mut self, id: DecisionId, candidate: usize) -> Diagram {
        let width = self.width(id);
        let never = self.liveness.conditions.constant(0);
        let matters = self.liveness.decision(id).unwrap_or(never);
        let store = &mut self.liveness.conditions;
        let choice = store.choice(id, width);
        let taken = store.is(choice, candidate as u32);
        store.and(matters, taken)
    }

    fn without(&mut self, here: Diagram, there: Diagram) -> Diagram {
        let store = &mut self.liveness.conditions;
        let other = store.rename(there, &|holds| u32::from(holds == 0));
        store.and(here, other)
    }

    fn remove(&mut self, id: DecisionId, candidate: usize) -> Result<(), Hopeless> {
        self.gone.push((id, candidate));
        let taken = self.takes(id, candidate);
        self.left = self.without(self.left, taken);
        let gone = self.gone.iter().filter(|(other, _)| *other == id).count();
        if gone == self.width(id) { Err(Hopeless::Decision(id)) } else { Ok(()) }
    }

    /// The candidates of a decision with which every network that is left is bad.
    fn alone(&mut self, id: DecisionId) -> Result<(), Hopeless> {
        let never = self.liveness.conditions.constant(0);
        let left = self.left;
        for candidate in 0..self.width(id) {
            let taken = self.takes(id, candidate);
            let here = self.liveness.conditions.and(left, taken);
            if here != never && self.without(here, self.bad) == never {
                self.remove(id, candidate)?;
            }
        }
        Ok(())
    }

    /// The last of some choices that are bad together; `false` if there are none.
    fn together(&mut self) -> Result<bool, Hopeless> {
        let (left, bad) = (self.left, self.bad);
        let Some(choices) = self.liveness.conditions.explain(left, bad) else { return Ok(false) };
        let (id, candidate) = choices.into_iter().max().ok_or(Hopeless::Everywhere)?;
        self.remove(id, candidate)?;
        Ok(true)
    }
}
