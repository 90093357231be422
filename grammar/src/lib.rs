//! The `.nas` language: grammar, syntax tree with spans, parser, formatter.

mod allow;
pub mod argument;
pub mod ast;
mod brackets;
mod build;
pub mod error;
pub mod fix;
pub mod format;
mod habits;
mod limits;
pub mod parse;
pub mod problem;
pub mod reference;
mod rules;
mod scan;
pub mod source;
mod syntax;
pub mod visible;
mod words;

pub use allow::{Allow, allows};
pub use argument::{parse_limit, parse_setting};
pub use fix::{Edit, Fix, Help};
pub use parse::{Parsed, parse};
pub use problem::Problem;
pub use source::Source;
pub use visible::{visible, visible_name};
