//! Early stopping: when a training that makes no progress ends.

use serde::Serialize;

use super::schema::{Bounds, Field, Kind};

/// When a training stops early: once a metric was no better for some epochs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Patience {
    /// How many epochs; 0 for never.
    #[serde(rename = "patience")]
    pub epochs: u32,
    /// What counts as better: by more than this, in the unit of the metric.
    pub min_delta: f64,
}

impl Patience {
    /// Whether a training stops whose epochs had these values of a metric, in order, of which more is better.
    #[must_use]
    pub fn is_over(&self, values: impl IntoIterator<Item = f64>) -> bool {
        let (mut best, mut waited) = (f64::NEG_INFINITY, 0);
        for value in values {
            if value > best + self.min_delta {
                (best, waited) = (value, 0);
            } else {
                waited += 1;
            }
        }
        self.epochs > 0 && waited >= self.epochs
    }

    /// Whether it ever stops one.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.epochs == 0
    }
}

/// After how many epochs without progress a training ends; beside [`MIN_DELTA`].
pub const PATIENCE: Field = Field {
    name: "patience",
    kind: Kind::count(0, 0),
    doc: "the training stops early once the primary metric on the validation images was no better for so many \
          epochs; 0 never does. The learning rate moves as if all epochs came",
};

/// What counts as progress.
pub const MIN_DELTA: Field = Field {
    name: "min_delta",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 1e9), default: 0.0 },
    doc: "better by more than this counts, for `patience`, in the unit of the metric: 0.001 of an accuracy is \
          a tenth of a percent",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_from_the_last_epoch_that_was_better_by_enough() {
        let patience = Patience { epochs: 2, min_delta: 0.1 };
        let rising = [0.1, 0.3, 0.35, 0.38];
        let over: Vec<bool> = (1..=4).map(|n| patience.is_over(rising[..n].to_vec())).collect();
        assert_eq!(over, [false, false, false, true]);
        // Small steps add up: what counts is the last value that was enough.
        assert!(!patience.is_over([0.1, 0.15, 0.25]));
        assert!(!Patience { epochs: 0, min_delta: 0.0 }.is_over([1.0, 0.5, 0.4, 0.3]));
        assert!(Patience { epochs: 1, min_delta: 0.0 }.is_over([-2.0, -2.0]));
    }
}
