//! Figures of training that left the numbers end a run, with the setting that helps.

use crate::error::RunError;
use crate::metrics::Metrics;

/// Where a figure is from, for the report that it is no number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// "the loss of the weights".
    pub(crate) what: &'static str,
    /// The epoch, from 0.
    pub(crate) epoch: u32,
    /// The setting to lower.
    pub(crate) setting: &'static str,
}

impl Figure {
    /// Nothing, unless one of these is no number.
    pub(crate) fn check(self, values: &[f64]) -> Result<(), RunError> {
        let Self { what, epoch, setting } = self;
        let is_finite = values.iter().all(|value| value.is_finite());
        if is_finite { Ok(()) } else { Err(RunError::Diverged { what, epoch, setting }) }
    }

    /// A score, unless it holds what is no number.
    pub(crate) fn check_score(self, score: Metrics) -> Result<Metrics, RunError> {
        let Self { what, epoch, setting } = self;
        if score.is_finite() { Ok(score) } else { Err(RunError::Diverged { what, epoch, setting }) }
    }
}
