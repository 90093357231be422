//! An assignment: a candidate for each decision of a space.

use crate::id_vec::IdVec;
use crate::ids::DecisionId;

/// A pick: a decision, and the index of the candidate that it takes.
pub type Pick = (DecisionId, usize);

/// The chosen candidate of each decision; one row per decision. Decisions that the others make
/// unreachable have a value too, which does not matter; the canonical one is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assignment {
    choices: IdVec<DecisionId, u32>,
}

impl Assignment {
    /// The assignment of so many decisions that takes the first candidate everywhere.
    #[must_use]
    pub fn zeros(decisions: usize) -> Self {
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
