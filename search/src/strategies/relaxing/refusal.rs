//! What such strategies cannot search: candidates of several shapes, where they are summed; decisions of which a
//! straight-through gradient tells nothing.

use indexmap::IndexMap;
use miette::{Diagnostic, SourceSpan};
use nas_analysis::absorbed;
use nas_grammar::Source;
use nas_ir::{Checked, Choice, Decision, DecisionId, Shape, Space};
use thiserror::Error;

use crate::error::Refusal;

/// What searches any decision: one candidate runs at a time, and no gradient of it is needed.
pub(in crate::strategies) const SAMPLED: &str = "`strategy proxyless { gradient = reinforce }`";

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

/// Decisions of one line whose gradient is zero.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "the gradient of `{gradient}` says nothing of `{decision}`{others}: batch norms take out what it measures"
)]
#[diagnostic(
    code(nas::train::absorbed),
    help("write {SAMPLED}, which holds whole networks against each other by their losses")
)]
struct Absorbed {
    /// What has such gradients.
    gradient: &'static str,
    /// The path of the first decision.
    decision: String,
    /// How many more there are.
    others: String,
    /// The file.
    #[source_code]
    file: Source,
    /// Where the decision was written.
    #[label("a factor on what this makes is gone behind the next batch norms")]
    at: Option<SourceSpan>,
}

/// The decisions, line by line, whose straight-through gradient is zero whatever their candidates are worth: see
/// [`absorbed`]. `gradient` is what has such gradients.
pub(in crate::strategies) fn told_nothing(
    space: &Checked<Space>,
    gradient: &'static str,
) -> Vec<Refusal> {
    let mut lines: IndexMap<_, Vec<&Decision>> = IndexMap::new();
    for decision in absorbed(space).into_iter().filter_map(|id| space.decision(id)) {
        if decision.candidates.len() > 1 {
            let origin = space.origin(decision.origin);
            let line = origin.map(|origin| (origin.source, SourceSpan::from(origin.span)));
            lines.entry(line).or_default().push(decision);
        }
    }
    let refusal = |(line, decisions): (Option<(usize, SourceSpan)>, Vec<&Decision>)| {
        let file = line.and_then(|(source, _)| space.origins.sources.get(source));
        let others = match decisions.len().saturating_sub(1) {
            0 => String::new(),
            1 => " and one more decision of this line".to_owned(),
            more => format!(" and {more} more decisions of this line"),
        };
        Refusal::new(Absorbed {
            gradient,
            decision: decisions.first().map_or_else(String::new, |first| first.path.clone()),
            others,
            file: file.cloned().unwrap_or_else(|| Source::new("", "")),
            at: line.map(|(_, span)| span),
        })
    };
    lines.into_iter().map(refusal).collect()
}
