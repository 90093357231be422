//! The latency of every network of a space, after a table.

use nas_ir::device::{Latency, PartLatency};
use nas_ir::diagram::Entangled;
use nas_ir::{Checked, Space, fault};
use rustc_hash::FxHashMap as HashMap;
use thiserror::Error;

use super::correction::Correction;
use super::parts::{Plan, Region, plan};
use super::table::{Missing, Table};

/// How many steps of the grid the slowest network has at most. The exact distribution of a sum has a
/// row for each step, and 2^18 are few enough to hold and fine enough to see four digits.
const STEPS: f64 = (1 << 18) as f64;

/// Why a table gives a space no latency.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unmeasured {
    /// Parts of the space are not in the table; at least one of so many.
    #[error("{} of {parts} parts are not in the table", .missing.len())]
    Missing {
        /// Those that are not.
        missing: Vec<Missing>,
        /// How many parts there are.
        parts: usize,
        /// How many entries of the table are of no part.
        stale: usize,
    },
    /// The space cannot be cut into parts.
    #[error(transparent)]
    Entangled(#[from] Entangled),
}

/// Gives the space the latency that follows from a table: for each part its time, corrected and
/// rounded to a grid of 1, 2 or 5 times a power of ten nanoseconds, of which the slowest network has
/// at most 2^18 steps.
///
/// # Errors
/// The table lacks parts, or the space cannot be cut into parts.
pub fn measured(space: &mut Checked<Space>, table: &Table) -> Result<(), Unmeasured> {
    let plan = plan(space)?;
    let missing = table.missing(&plan);
    if !missing.is_empty() {
        let (parts, stale) = (plan.parts.len(), table.stale(&plan).len());
        return Err(Unmeasured::Missing { missing, parts, stale });
    }
    let correction = table.correction.unwrap_or(Correction::NONE);
    let time = |part: &Option<usize>| -> f64 {
        // What is left of a region may be nothing.
        let Some(part) = *part else { return 0.0 };
        let part = plan.parts.get(part).unwrap_or_else(|| fault("a region of another plan"));
        let entry = table.entries.get(&part.key);
        correction.part(entry.unwrap_or_else(|| fault("a part without a time")).least)
    };
    let slowest =
        plan.regions.iter().map(|region| region.parts.iter().map(time).fold(0.0, f64::max));
    let grid = grid(correction.overhead + slowest.sum::<f64>());
    let round = |nanoseconds: f64| (nanoseconds / grid).round() as u64 * grid as u64;
    let times = |region: &Region| region.parts.iter().map(|part| round(time(part))).collect();
    let overhead = round(correction.overhead);
    set(space, &plan, overhead, &times);
    Ok(())
}

/// The step of the grid for latencies up to this one, in nanoseconds.
fn grid(slowest: f64) -> f64 {
    let least = slowest / STEPS;
    let steps =
        (0..).map(|power| 10_f64.powi(power)).flat_map(|ten| [1.0, 2.0, 5.0].map(|n| n * ten));
    let step = steps.into_iter().find(|step| *step >= least);
    step.unwrap_or_else(|| fault("a time that is no number"))
}

fn set(
    space: &mut Checked<Space>,
    plan: &Plan,
    overhead: u64,
    times: &dyn Fn(&Region) -> Vec<u64>,
) {
    let mut selectors = space.selectors.clone();
    let mut memo = HashMap::default();
    let parts = plan.regions.iter().map(|region| PartLatency {
        node: region.node,
        nodes: region.nodes.clone(),
        case: plan.conditions.map(region.case, &mut selectors, &|&case| case, &mut memo),
        nanoseconds: times(region),
    });
    let latency = Latency { overhead, parts: parts.collect() };
    space.set_latency(latency, selectors);
}
