//! Matrices for smaller kernels where there are none.

use miette::{Diagnostic, SourceSpan};
use nas_grammar::Source;
use nas_ir::decision::Choice;
use nas_ir::recipe::common::SCHEDULE;
use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Node, NodeKind, Space};
use thiserror::Error;

use super::schema::{TRANSFORMS, sharing};
use crate::error::Refusal;

/// A setting `transforms` that there is nothing for.
#[derive(Debug, Error, Diagnostic)]
#[error("`{space}` has no elastic kernels that matrices could make smaller")]
#[diagnostic(
    code(nas::search::transforms),
    help(
        "leave `schedule.transforms` out, or write `kernel = elastic kernel [3, 5, 7]` in a convolution of the space"
    )
)]
struct NoKernels {
    space: String,
    #[source_code]
    file: Source,
    #[label("of no use here")]
    at: Option<SourceSpan>,
}

/// What of the setting `transforms` of a recipe there is nothing for in a space.
pub(in crate::strategies) fn refused(
    space: &Space,
    recipe: &Recipe,
) -> Result<Option<Refusal>, NoSetting> {
    let has_section = recipe.settings.get(SCHEDULE, TRANSFORMS.name).is_some();
    if !has_section || !sharing(recipe)?.transforms {
        return Ok(None);
    }
    if space.graph.nodes().any(|(_, node)| has_elastic_kernel(space, node)) {
        return Ok(None);
    }
    let (file, at) = match recipe.settings.place(SCHEDULE, TRANSFORMS.name).cloned() {
        Some((file, span)) => (file, Some(span.into())),
        None => (Source::new("", ""), None),
    };
    Ok(Some(Refusal::new(NoKernels { space: space.name.clone(), file, at })))
}

/// Whether an elastic decision says how large the kernel of an operator is.
fn has_elastic_kernel(space: &Space, node: &Node) -> bool {
    let NodeKind::Op(op) = &node.kind else { return false };
    let shapes: Vec<_> =
        node.inputs.iter().map(|&input| space.graph[input].shape.largest()).collect();
    let windows = op.values().iter().flat_map(|op| op.weights(&shapes));
    let mut windows = windows.filter_map(|weight| weight.dims.get(2..).map(<[u32]>::to_vec));
    let Some(first) = windows.next() else { return false };
    let decisions = op.selector().map(|by| space.selectors.decisions(by)).unwrap_or_default();
    let is_elastic = |id| space.decision(id).is_some_and(|of| of.choice == Choice::Elastic);
    windows.any(|window| window != first) && decisions.into_iter().any(is_elastic)
}
