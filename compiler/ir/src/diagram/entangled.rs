//! Where the exact answer is out of reach.

use crate::ids::DecisionId;
use crate::space::Space;

/// Decisions that depend on each other in a way that no table of bounded size holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} decisions are too entangled for an exact answer", decisions.len())]
pub struct Entangled {
    /// Those on which the table that got too large depends, in their order.
    pub decisions: Vec<DecisionId>,
}

impl Entangled {
    /// These decisions, in their order.
    pub fn new(decisions: impl IntoIterator<Item = DecisionId>) -> Self {
        Self { decisions: decisions.into_iter().collect() }
    }

    /// The same with the paths of the decisions.
    #[must_use]
    pub fn named(&self, space: &Space) -> String {
        let decisions = space.paths(self.decisions.iter().copied());
        format!("{decisions} are too entangled for an exact answer")
    }
}
