//! The peaks of a tiny space, network by network.

use nas_ir::diagram::{Diagram, Diagrams};
use nas_ir::{Assignment, Checked, DecisionId, Space};
use nas_passes::specialise;

use crate::peak::peak;

/// So many assignments are gone through, and in all of them together so many nodes of the space.
const MAX_ASSIGNMENTS: usize = 512;
const MAX_NODES: usize = 50_000;

/// The peak of each network, in its best order, as a function of the decisions; `None` where there are too many, or
/// where one has no exact peak.
pub(super) fn peaks(space: &Checked<Space>) -> Option<(Diagrams<u64>, Diagram)> {
    let widths = space.decisions.iter().map(|decision| decision.candidates.len());
    let assignments = widths.fold(1, usize::saturating_mul);
    let nodes = assignments.saturating_mul(space.graph.nodes().count());
    if assignments > MAX_ASSIGNMENTS || nodes > MAX_NODES {
        return None;
    }
    let mut store = Diagrams::default();
    let peaks = below(space, &mut store, space.decisions.len(), &mut space.first_assignment())?;
    Some((store, peaks))
}

/// The peaks as a function of the decisions below one, the others being made as in the assignment.
fn below(
    space: &Checked<Space>,
    store: &mut Diagrams<u64>,
    decisions: usize,
    assignment: &mut Assignment,
) -> Option<Diagram> {
    let Some(last) = decisions.checked_sub(1) else {
        let peak = peak(&specialise(space, assignment)).exact()?;
        return Some(store.constant(peak));
    };
    let decision = DecisionId::new(last);
    let candidates = 0..space[decision].candidates.len();
    let children: Option<Vec<Diagram>> = candidates
        .map(|candidate| {
            assignment.set(decision, candidate);
            below(space, store, last, assignment)
        })
        .collect();
    Some(store.branch(decision, &children?))
}
