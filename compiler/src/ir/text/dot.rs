//! Spaces as graphviz graphs.

use std::collections::HashSet;

use super::print::Quoted;
use crate::ir::{NodeId, NodeKind, Space};

/// The graph in the language of graphviz: selects are diamonds, and the edges into them carry the
/// names of candidates.
#[must_use]
pub fn dot(space: &Space) -> String {
    let mut text = format!("digraph {} {{\n    node [shape = box]\n", Quoted(&space.name));
    for (id, node) in space.graph.nodes() {
        let (label, style) = match &node.kind {
            NodeKind::Input => (node.name.clone(), ", style = rounded"),
            NodeKind::Output => (node.name.clone(), ", style = rounded"),
            NodeKind::Op(op) => (op.declaration().name.to_owned(), ""),
            NodeKind::Select(decision) => {
                let path = space.decision(*decision).map_or("", |d| d.path.as_str());
                (path.to_owned(), ", shape = diamond")
            }
        };
        let label = format!("{label}\n{}", node.shape);
        text += &format!("    {id} [label = {}{style}]\n", Quoted(&label));
        let mut drawn: HashSet<NodeId> = HashSet::new();
        for (position, operand) in node.inputs.iter().enumerate() {
            let candidate = match &node.kind {
                NodeKind::Select(decision) => {
                    space.decision(*decision).and_then(|d| d.candidates.get(position))
                }
                NodeKind::Input | NodeKind::Output | NodeKind::Op(_) => None,
            };
            match candidate {
                Some(name) => {
                    text += &format!("    {operand} -> {id} [label = {}]\n", Quoted(name));
                }
                None if drawn.insert(*operand) => text += &format!("    {operand} -> {id}\n"),
                None => {}
            }
        }
    }
    text += "}\n";
    text
}
