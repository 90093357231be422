//! The least and the greatest peak of activation memory of the networks of a space.
//!
//! The operators of a space stand in one order, which is an order for each of its networks. What is
//! alive at a step of it is a sum of tensors under conditions, a function of few decisions; the
//! peak in this order is the maximum of these functions, and no peak of a best order exceeds it. In
//! the same way, the operands and the result of a step, and what is made from before it for after
//! it, are alive at that step in every order: the maximum of these functions is no more than the
//! peak. Where both agree, as in a chain with residuals, the ends are exact; else they are bounds,
//! and the networks at the ends, of which the peaks are found, tighten them. Where bounds are left in a tiny
//! space, its networks are looked at one by one.

mod alive;
mod apart;
mod tensors;
mod tiny;
mod ways;
mod work;

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::{Checked, Space};
use nas_passes::specialise;
use rustc_hash::FxHashMap as HashMap;

use crate::conditions::Conditions;
use crate::peak::peak;
use alive::{Alive, End};
use work::TooMuch;

/// The range of the peak of activation memory: exact ends, or bounds of them. Where the decisions
/// are too entangled, the bounds are those that hold if each select chose by itself.
#[must_use]
pub fn memory_range(space: &Checked<Space>) -> BoundedRange {
    let range = together(space).unwrap_or_else(|TooMuch| apart::range(space));
    if range.min.exact().is_some() && range.max.exact().is_some() {
        return range;
    }
    let Some((store, peaks)) = tiny::peaks(space) else { return range };
    let ends = store.leaves(peaks);
    match (ends.iter().min(), ends.iter().max()) {
        (Some(&&min), Some(&&max)) => {
            BoundedRange { min: Bounds::exactly(min), max: Bounds::exactly(max) }
        }
        _ => range,
    }
}

/// The conditions between which a limit on the peak lies; `None` where the decisions are too
/// entangled. `is_kept` says which peaks keep it, from above if `is_upper`.
pub(super) fn conditions(
    space: &Checked<Space>,
    selectors: &mut Selectors,
    is_upper: bool,
    is_kept: &dyn Fn(u64) -> bool,
) -> Option<Conditions> {
    let alive = Alive::of(space).ok()?;
    let mut keeping = |steps: &[Diagram]| {
        let holds = |bytes: &u64| u32::from(is_kept(*bytes));
        let mut memo = HashMap::default();
        let steps = steps.iter().map(|&step| alive.store.map(step, selectors, &holds, &mut memo));
        let mut steps: Vec<Diagram> = steps.collect();
        if !is_upper {
            // One step with so much is enough.
            steps = vec![steps.into_iter().fold(selectors.constant(0), |a, b| selectors.or(a, b))];
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    };
    let (written, needed) = (keeping(&alive.written), keeping(&alive.needed));
    // No peak is below what is needed, or above that of the order as written.
    let (needed, enough) = if is_upper { (needed, written) } else { (written, needed) };
    if needed != enough
        && let Some((store, peaks)) = tiny::peaks(space)
    {
        let holds = |bytes: &u64| u32::from(is_kept(*bytes));
        let exact = store.map(peaks, selectors, &holds, &mut HashMap::default());
        return Some(Conditions { needed: vec![exact], enough: vec![exact] });
    }
    Some(Conditions { needed, enough })
}

fn together(space: &Checked<Space>) -> Result<BoundedRange, TooMuch> {
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
