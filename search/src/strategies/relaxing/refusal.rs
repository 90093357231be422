//! What cannot be mixed: candidates of several shapes, where a strategy sums them.

use miette::{Diagnostic, SourceSpan};
use nas_grammar::Source;
use nas_ir::{Choice, Decision, DecisionId, Shape, Space};
use thiserror::Error;

use crate::error::Refusal;

/// A decision whose candidates cannot be summed.
#[derive(Debug, Error, Diagnostic)]
#[error("the candidates of `{decision}` differ in shape, so `{sums}` cannot sum them")]
#[diagnostic(code(nas::train::soft_shapes))]
struct SoftShapes {
    /// What sums candidates.
    sums: &'static str,
    /// The path of the decision.
    decision: String,
    /// The file.
    #[source_code]
    file: Source,
    /// Where the decision was written.
    #[label("{shapes}")]
    at: Option<SourceSpan>,
    /// The shapes, and of what.
    shapes: String,
    /// An edit.
    #[help]
    help: String,
}

/// Each decision on which a shape depends, in order, with the first node that has several. `sums` is what cannot
/// sum them, and `instead` what runs one candidate at a time.
pub(in crate::strategies) fn several_shapes(
    space: &Space,
    sums: &'static str,
    instead: &'static str,
) -> Vec<Refusal> {
    let mut found: Vec<DecisionId> = Vec::new();
    let mut refused: Vec<Refusal> = Vec::new();
    for (_, node) in space.graph.nodes() {
        let Some(selector) = node.shape.selector() else { continue };
        for id in space.selectors.decisions(selector) {
            let Some(decision) = space.decision(id).filter(|_| !found.contains(&id)) else {
                continue;
            };
            found.push(id);
            let shapes: Vec<String> = node.shape.values().iter().map(Shape::to_string).collect();
            let shapes = format!("`{}` is {}", node.name, shapes.join(" or "));
            refused.push(Refusal::new(soft_shapes(space, decision, shapes, (sums, instead))));
        }
    }
    refused
}

fn soft_shapes(
    space: &Space,
    decision: &Decision,
    shapes: String,
    (sums, instead): (&'static str, &'static str),
) -> SoftShapes {
    let origin = space.origin(decision.origin);
    let file = origin.and_then(|origin| space.origins.sources.get(origin.source));
    let help = if decision.choice == Choice::Elastic {
        format!("write {instead}: it runs one candidate of each decision at a time")
    } else {
        format!(
            "write {instead}, which runs one candidate of each decision at a time, and `elastic` for sizes that are to have their weights in common"
        )
    };
    SoftShapes {
        sums,
        decision: decision.path.clone(),
        file: file.cloned().unwrap_or_else(|| Source::new("", "")),
        at: origin.map(|origin| origin.span.into()),
        shapes,
        help,
    }
}
