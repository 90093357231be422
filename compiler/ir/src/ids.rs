//! Identities below everything: nodes, decisions and places of origin of one space.

use std::fmt;

use crate::id_vec::Id;

/// A node of a space. Prints as `n7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The node in this row of its table.
    #[must_use]
    pub fn new(row: usize) -> Self {
        // INVARIANT: tables are limited to far fewer rows than `u32::MAX`.
        Self(row as u32)
    }

    /// Position in tables with one row per node.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Id for NodeId {
    const OF: &'static str = "nodes";

    fn of_row(row: usize) -> Self {
        Self::new(row)
    }

    fn row(self) -> usize {
        self.index()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A decision of a space. Prints as `d3`. An outer decision has a lower number than those
/// inside its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub(crate) u32);

impl DecisionId {
    /// The decision in this row of its table.
    #[must_use]
    pub fn new(row: usize) -> Self {
        // INVARIANT: tables are limited to far fewer rows than `u32::MAX`.
        Self(row as u32)
    }

    /// Position in tables with one row per decision.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Id for DecisionId {
    const OF: &'static str = "decisions";

    fn of_row(row: usize) -> Self {
        Self::new(row)
    }

    fn row(self) -> usize {
        self.index()
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}", self.0)
    }
}

/// A row of [`crate::origin::Origins`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginId(pub(crate) u32);

impl OriginId {
    /// The next `count` ids after this one.
    pub fn following(self, count: usize) -> impl Iterator<Item = Self> {
        (1..=count as u32).map(move |place| Self(self.0 + place))
    }

    /// The id that stands to `to` as this one stands to `from`, which does not come after it.
    pub fn moved(self, from: Self, to: Self) -> Self {
        Self(self.0 - from.0 + to.0)
    }
}
