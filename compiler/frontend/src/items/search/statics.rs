//! What a recipe needs of its surroundings: strategies, static values, and what evaluates them.

use nas_grammar::ast::Expr;
use nas_grammar::{Problem, Source};
use nas_ir::recipe::StrategySchema;

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
    /// A list.
    List(Vec<Static>),
    /// Something that no setting takes, in words: "a list".
    Other(&'static str),
}

/// Evaluates a static expression of the given source, or says why it cannot; with no problem where
/// one was reported before.
pub type Evaluate<'a> = &'a mut dyn FnMut(&Expr, &Source) -> Result<Static, Vec<Problem>>;
