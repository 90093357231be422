//! Ranges of numbers that settings take.

use std::fmt;

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The low end.
    pub low: f64,
    /// Whether the low end itself is outside.
    pub above_low: bool,
    /// The high end.
    pub high: f64,
    /// Whether the high end itself is outside.
    pub below_high: bool,
}

impl Bounds {
    /// From `low` to `high`, both inside.
    #[must_use]
    pub const fn closed(low: f64, high: f64) -> Self {
        Self { low, above_low: false, high, below_high: false }
    }

    /// From `low` to below `high`.
    #[must_use]
    pub const fn below(low: f64, high: f64) -> Self {
        Self { low, above_low: false, high, below_high: true }
    }

    /// From above `low` to `high`.
    #[must_use]
    pub const fn above(low: f64, high: f64) -> Self {
        Self { low, above_low: true, high, below_high: false }
    }

    /// From above `low` to below `high`.
    #[must_use]
    pub const fn inside(low: f64, high: f64) -> Self {
        Self { low, above_low: true, high, below_high: true }
    }

    /// Whether a number lies in the range; what is not a number does not.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        let low = if self.above_low { value > self.low } else { value >= self.low };
        let high = if self.below_high { value < self.high } else { value <= self.high };
        low && high
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = if self.above_low { "above" } else { "at least" };
        let high = if self.below_high { "below" } else { "at most" };
        write!(f, "{low} {} and {high} {}", self.low, self.high)
    }
}
