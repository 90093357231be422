//! How things are told to people and to programs: reports of failures, tables, plots, diagrams,
//! progress.

pub mod bar;
pub mod baseline;
pub mod costs;
pub mod diagram;
pub(crate) mod line;
pub(crate) mod plot;
pub mod report;
pub mod run;
mod shown;
pub mod stream;
pub mod svg;
pub mod table;
pub mod terminal;
