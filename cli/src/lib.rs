//! The nasc command line: argument parsing, files, progress, reports. What needs libtorch is no
//! part of it, but of `nasc-train`.

pub mod analyze;
pub mod bar;
mod command;
pub mod cost;
pub mod demo;
pub mod diagram;
pub mod eval;
pub mod export;
pub mod files;
pub mod input;
pub mod inspect;
pub mod latency;
pub mod name_map;
pub mod package;
mod plot;
mod process;
pub mod recipe;
pub mod report;
pub mod retrain;
pub mod sample;
pub mod search;
pub mod show;
pub mod sources;
pub mod table;
mod trainer;
pub mod verify;
pub mod weights_error;
pub mod weights_file;

pub use command::{TrainCommand, main, train_main};
