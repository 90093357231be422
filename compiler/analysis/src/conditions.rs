//! Between which conditions a limit lies that is no sum.

use nas_ir::diagram::Diagram;
use nas_ir::liveness::Liveness;

/// Between which conditions a limit lies.
pub(crate) struct Conditions {
    /// Every network that keeps it fulfils all of these.
    pub(crate) needed: Vec<Diagram>,
    /// Every network that fulfils all of these keeps it.
    pub(crate) enough: Vec<Diagram>,
}

impl Conditions {
    /// Those of a limit of which nothing is known.
    pub(crate) fn unknown(liveness: &mut Liveness) -> Self {
        Self { needed: Vec::new(), enough: vec![liveness.conditions.constant(0)] }
    }
}
