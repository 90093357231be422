//! An assignment: a candidate for each decision of a space.

use crate::id_vec::IdVec;
use crate::ids::DecisionId;

/// A pick: a decision, and the index of the candidate that it takes.
pub type Pick = (DecisionId, usize);

/// The chosen candidate of each decision; one row per decision. Decisions that the others make
/// unreachable have a value too, which does not matter; the canonical one is 0. Only a space makes one,
/// so that there is a row for each of its decisions; to ask for another one is a fault.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assignment {
    choices: IdVec<DecisionId, u32>,
}

impl Assignment {
    /// The assignment of so many decisions that takes the first candidate everywhere.
    pub(crate) fn first(decisions: usize) -> Self {
        Self { choices: IdVec::filled(decisions, 0) }
    }

    /// The index of the candidate chosen by a decision.
    #[must_use]
    pub fn get(&self, decision: DecisionId) -> usize {
        self.choices[decision] as usize
    }

    /// Chooses a candidate.
    pub fn set(&mut self, decision: DecisionId, candidate: usize) {
        // INVARIANT: candidates are limited to far fewer than u32::MAX.
        self.choices[decision] = candidate as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_set_and_read() {
        let mut assignment = Assignment::first(2);
        assignment.set(DecisionId::new(1), 3);
        assert_eq!([0, 1].map(|index| assignment.get(DecisionId::new(index))), [0, 3]);
    }

    #[test]
    #[should_panic(expected = "row 2 of a table of 2 decisions")]
    fn a_decision_that_is_not_there_cannot_be_set() {
        Assignment::first(2).set(DecisionId::new(2), 0);
    }

    #[test]
    #[should_panic(expected = "row 2 of a table of 2 decisions")]
    fn a_decision_that_is_not_there_cannot_be_read() {
        let _ = Assignment::first(2).get(DecisionId::new(2));
    }
}
