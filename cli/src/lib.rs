//! The nasc command line: argument parsing, files, progress, reports.

mod command;
pub mod files;
pub mod input;
pub mod inspect;
pub mod report;
pub mod sample;
pub mod table;

pub use command::main;
