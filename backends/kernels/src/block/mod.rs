//! Sums of chains of layers, in training: what a searched layer is, and what a convolution with its batch norm is.
//!
//! Layers of all chains that are as deep are computed side by side, so that many small layers keep all threads busy. Forward
//! each raw result is written once, but for those of expansions, which are never written; backward the gradient of each is.

mod backward;
mod forward;
mod kept;
mod layers;

pub use backward::{ChainGradient, LayerGradient, backward};
pub use forward::forward;
pub use kept::Kept;
pub use layers::{Block, Chain, Input, Layer, MOST_EXPANDED, Op, Storage, to};
