//! An assignment: a candidate for each decision of a space.

use nas_diagnostics::fault;

use crate::ids::DecisionId;

/// The chosen candidate of each decision; one row per decision. Decisions that the others make
/// unreachable have a value too, which does not matter; the canonical one is 0. Only a space makes one,
/// so that there is a row for each of its decisions; to ask for another one is a fault.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assignment {
    choices: Vec<u32>,
}

impl Assignment {
    /// The assignment of so many decisions that takes the first candidate everywhere.
    pub(crate) fn first(decisions: usize) -> Self {
        Self { choices: vec![0; decisions] }
    }

    /// The index of the candidate chosen by a decision.
    #[must_use]
    pub fn get(&self, decision: DecisionId) -> usize {
        match self.choices.get(decision.index()) {
            Some(&choice) => choice as usize,
            None => missing(decision),
        }
    }

    /// Chooses a candidate.
    pub fn set(&mut self, decision: DecisionId, candidate: usize) {
        match self.choices.get_mut(decision.index()) {
            // INVARIANT: candidates are limited to far fewer than u32::MAX.
            Some(choice) => *choice = candidate as u32,
            None => missing(decision),
        }
    }
}

fn missing(decision: DecisionId) -> ! {
    fault(&format!("the assignment is of a space without {decision}"))
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
    #[should_panic(expected = "of a space without d2")]
    fn a_decision_that_is_not_there_cannot_be_set() {
        Assignment::first(2).set(DecisionId::new(2), 0);
    }

    #[test]
    #[should_panic(expected = "of a space without d2")]
    fn a_decision_that_is_not_there_cannot_be_read() {
        let _ = Assignment::first(2).get(DecisionId::new(2));
    }
}
