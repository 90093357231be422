//! Kernels on libtorch: how the value of each operator is computed.
//!
//! `choose` picks one when a program is planned, by the operator, the shapes of its operands and the
//! device; `call` runs it. What is left for a call to look at is what only a call knows: the size of
//! a map on crops of another size than the checked one, whether gradients are wanted, and whether
//! the memory of an operand may be overwritten. Faster kernels, and those for other devices and
//! precisions, are further variants of [`Kernel`], chosen in `choose`.

mod call;
mod choose;
mod convolution;
mod dropout;
mod margin;
mod norm;
mod pool;
mod resize;

pub(crate) use call::{Call, Kernel};
pub(crate) use dropout::Noise;
