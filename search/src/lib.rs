//! Search strategies, what they are run by, and the run store. Knows what trains only as traits.
//!
//! A [`strategy::Strategy`] asks for networks and is told how well they do; an
//! [`evaluator::Evaluator`] finds that out. [`strategies`] lists those that there are.
//! [`regime::run`] does a whole search over a [`backend::Backend`] and keeps it in a
//! [`store::Store`]; what happens is told as [`event::Event`]s.

pub mod backend;
pub mod command;
pub mod error;
pub mod evaluator;
pub mod event;
mod finite;
pub mod front;
pub mod metrics;
pub mod objective;
pub mod progress;
pub mod proxy;
mod random;
pub mod ranking;
pub mod record;
pub mod regime;
pub mod shared;
pub mod store;
pub mod strategies;
pub mod strategy;
pub mod table;
pub mod task;
pub mod teacher;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod work;

pub use error::{Failure, Fault, RunError};
pub use event::{Event, StepKind};
pub use metrics::Metrics;
pub use record::Phase;
pub use regime::{End, Job, Scores, run};
pub use store::{Inputs, Start, Store};
pub use table::{ScoreTable, ScoredNetwork};
pub use work::Work;
