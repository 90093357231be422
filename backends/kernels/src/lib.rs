//! Fused kernels that train networks on processors: sums of chains of convolutions with their batch norms.
//!
//! A batch norm in training needs the moments of a whole tensor before its first value is known, and so layers that are
//! computed one by one write and read each tensor many times: a convolution writes it, the norm reads it twice and writes
//! it, the activation does, and the next layer reads it. Here a convolution writes its *raw* result once and sums it and
//! its squares on the way; norm and activation are a scale, a shift and a function for each channel, applied when the next
//! layer loads a value, as is a gate of squeeze-and-excitation; and the gradient computes them again from the raw tensor. The moments have gradients of their own,
//! by which the gradient of a raw tensor is what its readers say plus a constant and a slope for each channel.
//!
//! A 1x1 convolution that a depthwise one reads is not even written (`block` says when): the moments of its result follow
//! from the covariance of its input, so that it is computed band by band where it is read.
//!
//! Maps are `[images, height, width, channels]` in memory. [`forward`] and [`backward`] compute a [`Block`].

// Loops over memory that is cut by hand are the point of this crate; what is public compares sizes before.
#![allow(unsafe_code)]
#![allow(clippy::indexing_slicing)]

mod activation;
mod block;
mod covariance;
mod cross_entropy;
mod dense;
mod depthwise;
mod image_sums;
mod kernel;
mod memory;
mod moments;
mod norm;
mod pointwise;
mod rounded;
mod shape;
mod simd;
mod sum;
mod tiles;
mod update;
mod work;

pub use activation::Activation;
pub use block::{
    Block, Chain, ChainGradient, Input, Kept, Layer, LayerGradient, MOST_EXPANDED, Op, Storage,
    backward, forward, to,
};
pub use cross_entropy::{CrossEntropy, Enlarged, cross_entropy};
pub use depthwise::MOST_TAPS;
pub use kernel::Kernel;
pub use memory::Buffer;
pub use moments::Moments;
pub use norm::BatchNorm;
pub use shape::{Map, Window};
pub use simd::Level;
pub use update::Sgd;
pub use work::{Pool, Processor, Serial};
