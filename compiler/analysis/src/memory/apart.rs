//! Bounds of the peak that need no conditions: as if each select chose by itself.

use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::{Checked, IdVec, Node, NodeId, NodeKind, Space, fault};
use nas_passes::specialise;

use crate::peak::peak;

/// The range between bounds: the inputs alone, some network, and all that may be alive at once in
/// the order in which the space stands.
pub(super) fn range(space: &Checked<Space>) -> BoundedRange {
    let some = peak(&specialise(space, &space.first_assignment()));
    let least = |node| sizes(space, node).min().unwrap_or_else(|| fault(NO_SHAPE));
    let inputs = space.graph.inputs().map(|(_, node)| least(node));
    let inputs = inputs.fold(0, u64::saturating_add);
    BoundedRange {
        min: Bounds { at_least: inputs.min(some.at_least), at_most: some.at_most },
        max: Bounds { at_least: some.at_least, at_most: most(space).max(some.at_most) },
    }
}

const NO_SHAPE: &str = "a node without a shape";

/// The bytes that the value of a node may have: of each of its shapes in each of its precisions.
fn sizes<'s>(space: &'s Space, node: &'s Node) -> impl Iterator<Item = u64> + 's {
    let numbers = space.precisions(node).iter().map(|precision| precision.bytes());
    numbers.flat_map(|number| {
        node.shape.values().iter().map(move |shape| shape.elements().saturating_mul(number))
    })
}

/// From which node to which the value of a node may have to be held.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    last: usize,
}

/// The most bytes at any node. The candidates of a select that nothing else reads share its value.
fn most(space: &Space) -> u64 {
    let spans = spans(space);
    // What is kept goes after the end, which comes after the last node.
    let mut changes: IdVec<usize, (u64, u64)> = IdVec::filled(space.graph.len() + 2, (0, 0));
    for ((_, node), span) in space.graph.nodes().zip(spans) {
        let Some(Span { first, last }) = span else { continue };
        let bytes = sizes(space, node).max().unwrap_or_else(|| fault(NO_SHAPE));
        let mut add = |at: usize, came: u64, went: u64| {
            let before = changes[at];
            changes[at] = (before.0.saturating_add(came), before.1.saturating_add(went));
        };
        add(first, bytes, 0);
        add(last + 1, 0, bytes);
    }
    let alive = changes.into_iter().scan(0u64, |alive, (came, went)| {
        *alive = alive.saturating_add(came).saturating_sub(went);
        Some(*alive)
    });
    // There is at least the end.
    alive.max().unwrap_or(0)
}

/// Where the value of each node is held; `None` where that of a select is.
fn spans(space: &Space) -> IdVec<NodeId, Option<Span>> {
    let mut lasts = space.graph.table(0);
    for (id, node) in space.graph.nodes().rev() {
        let last = lasts[id];
        let until = match node.kind {
            NodeKind::Select(_) => last,
            NodeKind::Output => space.graph.len(),
            NodeKind::Input | NodeKind::Op(_) | NodeKind::TrainOutput { .. } => id.index(),
        };
        for &input in &node.inputs {
            lasts[input] = until.max(lasts[input]);
        }
    }
    let mut spans: IdVec<NodeId, Option<Span>> = IdVec::with_capacity(space.graph.len());
    for (id, node) in space.graph.nodes() {
        let last = lasts[id].max(id.index());
        let first = match node.kind {
            NodeKind::Input => Some(0),
            NodeKind::Op(_) => Some(id.index()),
            NodeKind::Select(_) => joined(space, id, node, &mut spans),
            NodeKind::Output | NodeKind::TrainOutput { .. } => None,
        };
        spans.push(first.map(|first| Span { first, last }));
    }
    spans
}

/// Takes over the operands that only this select reads: where the first of them is made.
fn joined(
    space: &Space,
    select: NodeId,
    node: &Node,
    spans: &mut IdVec<NodeId, Option<Span>>,
) -> Option<usize> {
    let only = |input: &&NodeId| {
        let is_input = space.graph[**input].kind == NodeKind::Input;
        !is_input && space.graph.consumers(**input).all(|reader| reader == select)
    };
    let taken = node.inputs.iter().filter(only);
    let spans = taken.filter_map(|input| spans[*input].take());
    spans.map(|span| span.first).min()
}
