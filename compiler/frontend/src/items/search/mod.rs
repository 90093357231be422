//! Search recipes: what a `search` item says, checked.
//!
//! The caller says which strategies there are; each brings a schema that declares every setting of
//! its recipes once: its name, what values it takes, its range, its default and what it means.
//! [`check`] reads a `search` item and the command line's [`Override`]s against the schema of the
//! item's strategy; diagnostics and the reference read the same rows.
//!
//! What a setting's value is, the caller's evaluator says ([`Evaluate`]); this module only knows
//! which values a setting takes.

pub mod errors;
mod objective;
mod overrides;
mod read;
#[cfg(test)]
mod tests;

use nas_grammar::ast::Expr;
use nas_grammar::{Problem, Source};
use nas_ir::recipe::StrategySchema;

pub use overrides::Override;
pub use read::{check, check_default};

/// The strategies that there are, at least one; where a `search` item names none, it is the first.
pub type Strategies = &'static [&'static StrategySchema];

/// A static value, as far as a recipe needs one.
#[derive(Debug, Clone, PartialEq)]
pub enum Static {
    /// A whole number.
    Integer(i128),
    /// Another number.
    Real(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A string.
    Text(String),
    /// A tuple.
    Tuple(Vec<Static>),
    /// Something that no setting takes, in words: "a list".
    Other(&'static str),
}

/// Evaluates a static expression of the given source, or says why it cannot; with no problem where
/// one was reported before.
pub type Evaluate<'a> = &'a mut dyn FnMut(&Expr, &Source) -> Result<Static, Vec<Problem>>;
