//! The command as users meet it: arguments in; files, streams and exit codes out.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the functions that the tests share are tests too"
)]

mod analyze;
mod bench;
#[cfg(all(unix, feature = "torch"))]
mod command;
mod inspect;
#[cfg(feature = "torch")]
mod int8;
#[cfg(all(unix, feature = "torch"))]
mod kills;
#[cfg(feature = "torch")]
mod known;
mod latency;
#[cfg(unix)]
mod latency_engines;
mod models;
mod package;
mod pytorch;
#[cfg(feature = "torch")]
mod recipes;
#[cfg(feature = "torch")]
mod resuming;
#[cfg(feature = "torch")]
mod runs;
#[cfg(unix)]
mod streams;
#[cfg(feature = "torch")]
mod tasks;
#[cfg(feature = "torch")]
mod teachers;
mod trainer;
#[cfg(feature = "torch")]
mod training;
