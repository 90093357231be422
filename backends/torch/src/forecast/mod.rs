//! What training will take of memory, known before anything is allocated.
//!
//! A step holds every value that the way back reads: a tensor for each operator that makes one, for the
//! pictures of a batch. Rectifiers and sums work in the memory of an operand that nothing else reads, views
//! have none of their own. Of layers that are computed together, what convolutions make is held, and that of an expansion is not.
//! On the way back the gradients of all operands of a mixture are held at once, what was not kept of the layers that it is of,
//! and a gradient of every weight. Scoring holds what is still to be read, but of pictures in full size.
//!
//! Where that is more than is allowed, the results of some layers are not kept, but computed again on the way back
//! (`recomputed`), and batches are learned from in parts (`fitted`).

mod fitted;
mod recomputed;
mod trained;
mod walk;

pub(crate) use fitted::fitted;
pub use recomputed::Recomputed;
pub(crate) use recomputed::{Fit, without};
pub use trained::Forecast;
pub(crate) use trained::{Pictures, Trained};
