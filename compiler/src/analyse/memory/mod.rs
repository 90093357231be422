//! The least and the greatest peak of activation memory of the networks of a space.
//!
//! The operators of a space stand in one order, which is an order for each of its networks. What is
//! alive at a step of it is a sum of tensors under conditions, a function of few decisions; the
//! peak in this order is the maximum of these functions, and no peak of a best order exceeds it. In
//! the same way, the operands and the result of a step, and what is made from before it for after
//! it, are alive at that step in every order: the maximum of these functions is no more than the
//! peak. Where both agree, as in a chain with residuals, the ends are exact; else they are bounds,
//! and the networks at the ends, of which the peaks are found, tighten them.

mod alive;
mod apart;
mod tensors;
mod ways;

use super::liveness::Entangled;
use crate::check::Checked;
use crate::ir::Space;
use crate::measure::{BoundedRange, Bounds};
use crate::peak::peak;
use crate::specialise::specialise;
use alive::{Alive, End};

/// Beyond so much work for conditions, decisions count as entangled.
const MAX_VISITS: u64 = 200_000;

/// The range of the peak of activation memory: exact ends, or bounds of them. Where the decisions
/// are too entangled, the bounds are those that hold if each select chose by itself.
#[must_use]
pub fn memory_range(space: &Checked<Space>) -> BoundedRange {
    together(space).unwrap_or_else(|Entangled| apart::range(space))
}

fn together(space: &Checked<Space>) -> Result<BoundedRange, Entangled> {
    let alive = Alive::of(space)?;
    let [written, needed] = [&alive.written, &alive.needed];
    let (written_min, at_min) = alive.end(space, written, End::Least)?;
    let (written_max, at_max) = alive.end(space, written, End::Greatest)?;
    let (needed_min, _) = alive.end(space, needed, End::Least)?;
    let (needed_max, _) = alive.end(space, needed, End::Greatest)?;
    let [low, high] = [at_min, at_max].map(|at| peak(&specialise(space, &at)));
    Ok(BoundedRange {
        min: Bounds { at_least: needed_min, at_most: low.at_most.min(written_min) },
        max: Bounds { at_least: high.at_least.max(needed_max), at_most: written_max },
    })
}
