//! What `fbnetv2` cannot search: decisions on shapes that no mask of channels stands for.

use miette::{Diagnostic, SourceSpan};
use nas_analysis::widths::{Obstacle, widths};
use nas_grammar::Source;
use nas_ir::{Checked, Decision, Shape, Space};
use thiserror::Error;

use crate::error::Refusal;
use crate::strategies::relaxing::SAMPLED;

/// A decision on a shape that cannot be masked.
#[derive(Debug, Error, Diagnostic)]
#[error("no mask of channels stands for the candidates of `{decision}`: {why}")]
#[diagnostic(code(nas::train::mask))]
struct Unmasked {
    /// The path of the decision.
    decision: String,
    why: String,
    /// The file.
    #[source_code]
    file: Source,
    /// Where the decision was written.
    #[label("shapes depend on this")]
    at: Option<SourceSpan>,
    /// An edit.
    #[help]
    help: String,
}

/// Each decision on which a shape depends and for which no mask stands, in order; but one of them may be on the sizes of
/// maps.
pub(super) fn unmasked(space: &Checked<Space>) -> Vec<Refusal> {
    let (mut refused, mut sizes) = (Vec::new(), 0);
    for width in widths(space) {
        let (Some(decision), Err(obstacle)) = (space.decision(width.decision), width.candidates)
        else {
            continue;
        };
        sizes += usize::from(matches!(obstacle, Obstacle::Sizes { .. }));
        if matches!(obstacle, Obstacle::Sizes { .. }) && sizes == 1 {
            continue;
        }
        refused.push(Refusal::new(refusal(space, decision, &obstacle)));
    }
    refused
}

fn refusal(space: &Space, decision: &Decision, obstacle: &Obstacle) -> Unmasked {
    let origin = space.origin(decision.origin);
    let file = origin.and_then(|origin| space.origins.sources.get(origin.source));
    Unmasked {
        decision: decision.path.clone(),
        why: why(obstacle),
        file: file.cloned().unwrap_or_else(|| Source::new("", "")),
        at: origin.map(|origin| origin.span.into()),
        help: help(obstacle),
    }
}

/// What is in the way, in words.
fn why(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Sizes { node, shapes } => {
            let shapes: Vec<String> = shapes.iter().map(Shape::to_string).collect();
            format!("`{node}` is {}, and another decision is on sizes, too", shapes.join(" or "))
        }
        Obstacle::Port(node) => format!("`{node}` has several numbers of channels"),
        Obstacle::Part(node) => format!("at `{node}` it selects a part of the network, too"),
        Obstacle::Operator(node) => format!("`{node}` depends on it in more than channels"),
        Obstacle::Rearranged(node) => {
            format!("where channels stand behind `{node}` depends on how many there are")
        }
        Obstacle::Crossing => "none of them has the most channels everywhere".to_owned(),
        Obstacle::OwnWeights => "each has weights of its own".to_owned(),
    }
}

fn help(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::OwnWeights => {
            "write `elastic` instead of `choose`: then fewer channels are the first of the most"
                .to_owned()
        }
        _ => format!("write {SAMPLED}: it runs one candidate of each decision at a time"),
    }
}
