//! The nasc command line. `command` knows all `commands`; these use `services` and, to tell what
//! they found, `render`, which knows neither. What needs libtorch is no part of it, but of
//! `nasc-train`.

mod command;
pub mod commands;
mod process;
pub mod render;
pub mod services;

pub use command::{TrainCommand, main, train_main};
