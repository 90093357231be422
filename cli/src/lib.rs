//! The nasc command line: argument parsing, files, progress, reports.

pub mod input;
pub mod report;
pub mod sample;
