//! `minimize`: what a search minimises beside the task loss.

use serde::Serialize;

use crate::measure::Measure;

/// `cross_entropy + factor * measure`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Objective {
    /// What is added to the loss for one unit of the measure (one MAC, parameter, byte or
    /// nanosecond).
    pub factor: f64,
    /// What is measured.
    pub measure: Measure,
}

/// The declaration of `minimize`.
#[derive(Debug)]
pub struct Minimize {
    /// The default.
    pub default: Objective,
    /// The default as it is written.
    pub written: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// `minimize`: what a search makes small.
pub static MINIMIZE: Minimize = Minimize {
    default: Objective { factor: 0.02 / 1e6, measure: Measure::Macs },
    written: "cross_entropy + 0.02 * macs / 1M",
    doc: "`cross_entropy`, and a measure (`macs`, `params`, `weight_bytes` or `latency`) times a \
          factor. Any linear form of these will do; it is divided by the factor of \
          `cross_entropy`. A strategy that trains choices adds the measure of the sampled network \
          to their loss, and without a measure only the loss counts; whatever the strategy, of two \
          networks that score the same the one with less of the measure is better",
};
