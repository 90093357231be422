//! What a strategy asks for: a network to try, and what trying it may take.

use nas_ir::Assignment;
use serde::{Deserialize, Serialize};

/// A network to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The network.
    pub assignment: Assignment,
    /// What it may take.
    pub budget: Budget,
    /// How often the strategy drew the network.
    pub drawn: u32,
    /// Whether it was drawn uniformly, whatever was learned so far: such networks are what others are held against.
    pub uniform: bool,
}

/// What a trial may take. Budgets are what strategies of several fidelities spend more or less of: a network may be tried
/// again with a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Budget {
    /// Epochs of training of its own, from fresh weights; 0 where it is scored with weights that it
    /// shares.
    pub epochs: u32,
}

impl Budget {
    /// Whether it takes no training of its own.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.epochs == 0
    }
}
