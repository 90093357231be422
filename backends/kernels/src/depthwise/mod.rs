//! Depthwise convolutions, alone or behind the 1x1 convolution that makes their channels.
//!
//! What such a 1x1 convolution makes is the widest tensor of an inverted residual, and it is cheap to make: where the
//! moments of its result are known beforehand (they follow from those of its input, [`crate::covariance`]), it is computed band
//! by band, stays in the cache, and never goes to memory, forward or backward.

mod backward;
mod forward;
mod layer;

pub(crate) use backward::{Backward, Gradients};
pub(crate) use forward::Forward;
pub use layer::MOST_TAPS;
pub(crate) use layer::{Depthwise, Source};
