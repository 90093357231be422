//! How much work the tensors of all networks may take.

use nas_ir::diagram::Entangled;

/// The most work for conditions.
pub(super) const MAX_VISITS: u64 = 200_000;

/// To follow the tensors of all networks together takes more work than that.
pub(super) struct TooMuch;

impl From<Entangled> for TooMuch {
    fn from(_: Entangled) -> Self {
        Self
    }
}
