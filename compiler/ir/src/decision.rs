//! The decisions of a space.

use crate::ids::OriginId;

/// What the candidates of a decision are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Parts of the network, each with its own weights.
    Parts,
    /// Static values; what uses one has its own weights for each.
    Values,
    /// Static values; what uses one has the same weights for all, the smaller a slice of the
    /// largest (once-for-all, Cai et al. 2020).
    Elastic,
    /// Sets of this many options: a candidate is a set. The options, and for each candidate
    /// those that it takes, in order.
    Sets {
        /// The names of the options.
        options: Vec<String>,
        /// How many of them a candidate takes.
        take: usize,
    },
}

/// A decision: one of several candidates, made once for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its path, such as `unit.7/op`.
    pub path: String,
    /// The last part of the path without a number: what `arch` items call it.
    pub label: String,
    /// What the candidates are.
    pub choice: Choice,
    /// The names of the candidates, at least one.
    pub candidates: Vec<String>,
    /// Where it was written.
    pub origin: Option<OriginId>,
}
