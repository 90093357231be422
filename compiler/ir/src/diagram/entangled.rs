//! Where the exact answer is out of reach.

use crate::ids::DecisionId;

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
}
