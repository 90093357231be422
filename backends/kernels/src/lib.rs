//! Fused kernels that train networks on processors: convolutions that normalise what they load, and gather the moments of
//! what they write.
//!
//! A batch norm in training needs the moments of a whole tensor before its first value is known, and so layers that are
//! computed one by one write and read each tensor many times: a convolution writes it, the norm reads it twice and writes
//! it, the activation does, and the next layer reads it. Here a convolution writes its *raw* result once and sums it and
//! its squares on the way; norm and activation are a scale, a shift and two bounds for each channel ([`Norm`]), applied
//! when the next layer loads a value; and the gradient computes them again from the raw tensor. The moments are values of
//! their own with gradients of their own, so that the gradient of a raw tensor is what its readers say plus a constant and
//! a slope for each channel ([`Raw`]).
//!
//! Maps are `[images, height, width, channels]` in memory.

// Loops over memory that is cut by hand are the point of this crate; every public function compares sizes before.
#![allow(unsafe_code)]
#![allow(clippy::indexing_slicing)]

mod covariance;
mod depthwise;
mod pointwise;
mod shape;
mod simd;
mod sum;
mod tiles;
mod work;

pub use covariance::{Covariance, covariance, covariance_backward};
pub use depthwise::{
    Depthwise, Gradient as DepthwiseGradient, MOST_TAPS, Source, backward as depthwise_backward,
    backward_into as depthwise_backward_into, forward as depthwise,
    forward_into as depthwise_into,
};
pub use pointwise::{
    Gradient as PointwiseGradient, Kernel, backward as pointwise_backward,
    backward_into as pointwise_backward_into, forward as pointwise,
    forward_into as pointwise_into,
};
pub use shape::{Clamp, Map, Moments, Norm, Raw, Window, through_moments};
pub use simd::Level;
pub use sum::{Term, TermGradient, sum_backward, sum_into};
pub use work::{Pool, Processor, Serial};
