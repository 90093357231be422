//! Search strategies, schedules and the run store. Knows what trains only as traits.
//!
//! [`regime::run`] does a whole search over a [`evaluator::Backend`] and keeps it in a
//! [`store::Store`]; what happens is told as [`event::Event`]s.

pub mod error;
pub mod evaluator;
pub mod event;
pub mod metrics;
pub mod objective;
pub mod record;
pub mod regime;
pub mod store;
#[cfg(test)]
mod tests;

pub use error::RunError;
pub use event::{Event, Phase, Work};
pub use metrics::Metrics;
pub use regime::{Failure, Job, Outcome, run};
pub use store::{Inputs, Start, Store};
