//! The nasc command line: argument parsing, files, progress, reports.

pub mod analyze;
pub mod bar;
mod command;
pub mod cost;
#[cfg(feature = "torch")]
pub mod demo;
pub mod diagram;
#[cfg(feature = "torch")]
pub mod eval;
pub mod export;
pub mod files;
pub mod input;
pub mod inspect;
pub mod latency;
pub mod name_map;
pub mod package;
#[cfg(feature = "torch")]
pub mod picture;
mod plot;
#[cfg(feature = "torch")]
pub mod progress;
pub mod report;
#[cfg(feature = "torch")]
pub mod retrain;
pub mod sample;
#[cfg(feature = "torch")]
pub mod search;
pub mod show;
pub mod sources;
pub mod table;
#[cfg(feature = "torch")]
pub mod training;
pub mod verify;
pub mod weights_error;
pub mod weights_file;

pub use command::main;
