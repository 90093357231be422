//! The supernet and the networks on libtorch.
//!
//! [`TorchBackend`] implements the traits that `nas_search` trains through; [`TorchNetwork`] and [`run`]
//! evaluate one network, and a [`Trial`] tries the supernet of a space. Inside, a network and a
//! supernet are the same thing: a program of instructions (`program`), over parameters by name
//! (`parameters`), in which a supernet's decisions mix their candidates (`mixing`). A plan chooses a
//! kernel for each operator, once (`plan`, `kernel`); a schedule says what a step evaluates
//! (`schedule`); `evaluation` does it, and `forecast` tells what memory that will take. `mixture` makes the steps of a search, `passes` goes over the
//! data; `proxies` tell of networks that are not trained. What a step is: images are blended (`blend`), `training_loss` makes
//! a loss of the outputs, `teaching` one of what a teacher answers, `optimizer` moves the parameters.
//!
//! Same seed, same result: initial weights depend on seed and name, Gumbel noise on seed, epoch,
//! step and decision; neither libtorch's generator nor the threads of the loader matter. The
//! number of libtorch's threads may change the last digits.

mod answer;
mod backend;
mod beginning;
mod blend;
mod calibrate;
mod choices;
mod device;
mod error;
mod evaluation;
mod examples;
mod forecast;
mod fused;
mod gathered;
mod judge;
mod kernel;
mod layout;
mod learned;
mod loaders;
mod mixing;
mod mixture;
mod network;
mod optimizer;
mod parameters;
mod parts;
mod passes;
mod patterns;
mod plan;
mod portion;
mod profile;
mod program;
mod proxies;
mod random;
mod rehearsal;
mod reinforce;
mod rounding;
mod schedule;
mod statistics;
mod step;
mod supernet;
mod task;
mod teaching;
#[cfg(test)]
mod tests;
mod threads;
mod trainable;
mod training_loss;
mod upload;
mod value;

pub use backend::{Options, TorchBackend};
pub use beginning::{Beginnings, Fitting};
pub use calibrate::calibrate;
pub use device::{Gpu, NoCuda, gpu};
pub use error::{Phase, TorchError};
pub use examples::Example;
pub use forecast::{Forecast, Recomputed};
pub use fused::Part;
pub use network::{TorchNetwork, run};
pub use profile::{Operator, Profiled, Profiler, WARM_STEPS};
pub use proxies::TorchProxies;
pub use rehearsal::{Mixed, Rehearsal};
pub use step::{Apart, StepReport, Trial};
pub use supernet::TorchSupernet;
pub use threads::default_threads;
pub use trainable::TorchTrainable;

/// The version of libtorch that this was built against, as its headers say it.
pub const LIBTORCH_VERSION: &str = env!("LIBTORCH_VERSION");
