//! How the latency of a network follows from those of its parts.

use serde::{Deserialize, Serialize};

/// How the latency of a network follows from those of its parts: `overhead` plus, for each part,
/// `scale` times its time plus `per_part`, and not less than 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a correction")]
pub struct Correction {
    /// By what times of parts are multiplied.
    pub scale: f64,
    /// Nanoseconds more for each part; less, as a rule: a part that is run alone has a start of its
    /// own.
    pub per_part: f64,
    /// Nanoseconds of every network.
    pub overhead: f64,
    /// How far it is from the networks to which it was fitted.
    pub residual: Residual,
}

/// How far predicted latencies are from measured ones.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a residual")]
pub struct Residual {
    /// The mean of the absolute errors, in percent of what was measured.
    pub mean_absolute_percent: f64,
    /// Spearman's correlation of the ranks.
    pub spearman: f64,
    /// How many networks were measured.
    pub networks: u32,
}

impl Correction {
    /// The plain sum of the parts.
    pub const NONE: Self = Self {
        scale: 1.0,
        per_part: 0.0,
        overhead: 0.0,
        residual: Residual { mean_absolute_percent: 0.0, spearman: 0.0, networks: 0 },
    };

    /// What a part adds, in nanoseconds.
    #[must_use]
    pub fn part(&self, nanoseconds: u64) -> f64 {
        (self.scale * nanoseconds as f64 + self.per_part).max(0.0)
    }

    /// The latency of a network whose parts took so long, in nanoseconds.
    #[must_use]
    pub fn network(&self, parts: &[u64]) -> f64 {
        parts.iter().fold(self.overhead, |sum, &part| sum + self.part(part))
    }
}

/// A whole network that was measured: the times of its parts, and its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The times of its parts, in nanoseconds; a part that is there twice counts twice.
    pub parts: Vec<u64>,
    /// How long the network took, in nanoseconds.
    pub measured: u64,
}
