//! Layers that are computed together on a processor: convolutions, the batch norms behind them, activations, and gates before them.
//!
//! A convolution with a bias or before a batch norm (1x1, depthwise, or of few channels) computes nothing, but begins or continues a
//! [`Chain`]; the batch norm and an activation are noted in it. What sums chains (a mixture of candidates, a residual), or reads one in another way, has
//! them computed at once, by `nas-kernels` ([`sum`], [`Chain::settled`]). Their gradient is recorded with libtorch's autograd
//! (`function`), so that what is fused and what is not work together.
//!
//! Where an output of a network is enlarged last, the loss does that as it reads it (`cross_entropy`).
//!
//! `roles` says which operators of a program take part.

mod chain;
mod convolution;
mod cross_entropy;
mod function;
mod part;
mod roles;
mod threads;

pub(crate) use chain::{Chain, Identity, Norm};
pub(crate) use convolution::Convolution;
pub(crate) use cross_entropy::mean_cross_entropy;
pub(crate) use function::sum;
pub use part::Part;
pub(crate) use roles::{Role, activation, are_fused, convolution, maker, roles, rounded};
pub(crate) use threads::processor;
