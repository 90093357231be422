//! What an argument of a command holds in place of a file: one setting of a recipe, or one limit.
//! All of its text is read by the rules of the grammar, or it is an error.

use pest::Parser;
use pest::iterators::Pair;

use crate::ast::{Expr, Setting};
use crate::build::{Builder, Built};
use crate::error::TooLarge;
use crate::limits::Outline;
use crate::parse::{MAX_BYTES, too_nested};
use crate::problem::Problem;
use crate::rules::{NasParser, Rule};
use crate::source::Source;
use crate::syntax::{Whole, expected, syntax_error};

/// A text that is not what was asked for.
#[derive(Debug)]
pub struct Misread {
    /// What is said of it.
    pub problem: Problem,
    /// Where it ceases to be right, in bytes.
    pub at: usize,
}

/// Parses `section.field=value`, with the law of an annealed value after it, or
/// `minimize=formula` or `maximize=formula`. A section comes back as one with a single field and no kind.
///
/// # Errors
/// The text is anything else, or more.
pub fn parse_setting(source: &Source) -> Result<Setting, Misread> {
    argument(source, Rule::setting_text, Builder::assigned)
}

/// Parses a limit, such as `macs <= 300M and params <= 5M`: any expression, as after `require`.
///
/// # Errors
/// The text is anything else, or more.
pub fn parse_limit(source: &Source) -> Result<Expr, Misread> {
    argument(source, Rule::limit_text, Builder::expr)
}

/// What `build` makes of the first part of a text that a rule reads whole.
fn argument<'s, T>(
    source: &'s Source,
    rule: Rule,
    build: impl FnOnce(&Builder<'s>, Pair<'_, Rule>) -> Built<T>,
) -> Result<T, Misread> {
    let text: &str = source.text();
    if text.len() > MAX_BYTES {
        let problem = TooLarge { name: source.name().to_owned(), limit: MAX_BYTES };
        return Err(Misread { problem: problem.into(), at: MAX_BYTES });
    }
    if let Some(at) = Outline::new(text).too_deep(0) {
        return Err(Misread { problem: too_nested(source, at).into(), at });
    }
    let mut pairs = NasParser::parse(rule, text).map_err(|error| {
        let (problem, at) = syntax_error(source, Whole::Argument, 0, &error);
        Misread { problem, at }
    })?;
    let part = pairs.next().and_then(|pair| pair.into_inner().next());
    let missing = || expected(source, Whole::Argument, 0, 0, &[rule]);
    let part = part.ok_or_else(|| Misread { problem: missing(), at: 0 })?;
    let built = build(&Builder::new(source, 0), part);
    built.map_err(|too_deep| Misread { problem: Problem::from(*too_deep), at: 0 })
}
