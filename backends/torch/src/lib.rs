//! The supernet and the networks on libtorch.
//!
//! [`TorchBackend`] implements the traits of `nas_search::evaluator`; [`TorchNetwork`] and [`run`]
//! evaluate one network, and a [`Trial`] tries the supernet of a space. Inside, a network and a
//! supernet are the same thing: a program (`program`, made by `build`) of operators (`lower`, with
//! `convolution` where libtorch's kernels are slow), over parameters by name (`parameters`), in
//! which a supernet's decisions mix their candidates (`mixing`). `mixture` makes the steps of a
//! search, `passes` goes over the data.
//!
//! Same seed, same result: initial weights depend on seed and name, Gumbel noise on seed, epoch,
//! step and decision; neither libtorch's generator nor the threads of the loader matter. The
//! number of libtorch's threads may change the last digits.

mod backend;
mod build;
mod choices;
mod convolution;
mod dropout;
mod error;
mod layout;
mod loaders;
mod lower;
mod mixing;
mod mixture;
mod network;
mod optimizer;
mod parameters;
mod passes;
mod pool;
mod program;
mod random;
mod step;
mod task;
#[cfg(test)]
mod tests;

pub use backend::{Options, TorchBackend, TorchSupernet, TorchTrainee, default_threads};
pub use error::{Phase, TorchError};
pub use network::{TorchNetwork, run};
pub use step::{StepReport, Trial};

/// The version of libtorch that this was built against, as its headers say it.
pub const LIBTORCH_VERSION: &str = env!("LIBTORCH_VERSION");
