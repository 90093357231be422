//! The peak of activation memory: the most bytes that one network needs at once for its
//! activations, in the best order of its operators.
//!
//! As Liberis and Lane (2019, "Neural networks on microcontrollers: saving memory at inference via
//! operator reordering") count it, and the memory planner of TensorFlow Lite Micro (David et al.
//! 2021): while an operator runs, its operands and its result are alive, and so is every other
//! tensor that is made and still to be read. Inputs are alive from the start until their last
//! reader has run, outputs until the end. Each number has the size of the target's precision.
//!
//! Engines fold batch norm into the convolution before it and fuse activations: such an operator
//! needs no memory of its own where it is the only reader of what another operator made. Flatten,
//! dropout and identity are views. All else has a result of its own: concat copies, and an addition
//! does not write over an operand.
//!
//! Not in the figure: weights, working memory inside an operator (im2col, accumulators of more bits),
//! gaps between tensors in memory. Nor are operators split into tiles or patches, or depthwise
//! convolutions run in place: TinyEngine, which does the latter, needs 1,372 kB for MobileNetV2 in int8 (Lin
//! et al. 2021, "MCUNetV2", figure 1), its widest pointwise convolution; here the depthwise convolution
//! after it, 1,470 kB, is the peak.

mod order;
mod steps;
mod tensor;
#[cfg(test)]
mod tests;

use nas_ir::Network;
use nas_ir::measure::Bounds;

use steps::Steps;

pub use tensor::Tensor;

/// The most bytes of activations that are alive at once, in the best order of the operators.
/// Exact unless too many parts of the network are independent of each other.
#[must_use]
pub fn peak(network: &Network) -> Bounds {
    peak_of(&tensor::of_network(network))
}

/// The same of anything that makes tensors one after the other, what is read before its readers.
#[must_use]
pub fn peak_of(tensors: &[Tensor]) -> Bounds {
    order::peak(&Steps::of(tensors).joined(), MAX_STATES)
}

/// The most states that the search for the best order looks at.
const MAX_STATES: usize = 20_000;
