//! From the syntax tree to a space: static expressions evaluated, blocks instantiated, choices
//! turned into decisions. Problems are collected; what one left is poison and stays silent.

mod call;
mod candidates;
mod choose;
mod chosen;
mod control;
mod copy;
mod elaborator;
mod elastic;
pub mod errors;
mod expr;
mod function;
mod help;
mod instance;
mod limits;
mod node;
mod number;
mod operators;
mod parameters;
mod partial;
mod precision;
mod require;
mod scope;
mod space;
mod unknown;
mod unreachable;
mod value;
mod vary;

use std::collections::HashSet;

use nas_diagnostics::Problems;
use nas_grammar::Source;
use nas_grammar::ast::{Arg, Expr, Space as SpaceItem};
use nas_ir::requirement::Requirement;
use nas_ir::{Decision, Space};

use crate::modules::{ModuleId, Program};
use elaborator::Elaborator;
pub use limits::{Fuel, MAX_DEPTH, MAX_LENGTH, MAX_NODES, MAX_STEPS};
pub(crate) use number::printed;
pub(crate) use operators::{between, compare};
pub(crate) use require::{in_milliseconds, is_latency, unitless};
pub(crate) use value::Value;

/// Elaborates a space with these arguments for its parameters, written in a module. The space is
/// incomplete where problems were reported, here or, if `is_broken`, before.
pub fn elaborate<'p>(
    program: &'p Program,
    (module, item): (ModuleId, &'p SpaceItem),
    (args_module, args): (ModuleId, &'p [Arg]),
    is_broken: bool,
    fuel: &mut Fuel,
    problems: &mut Problems,
) -> Space {
    let mut elaborator = Elaborator::new(program, module, fuel, problems);
    elaborator.is_partial = is_broken;
    elaborator.space.name = item.name.name.clone();
    elaborator.space.origin = Some(elaborator.origin(item.name.span));
    // An abort was reported where it arose.
    let _ = elaborator.space_item(item, args, args_module);
    elaborator.finish()
}

/// Evaluates a static expression outside of any space, with these names in scope. Problems are
/// placed in `source`, which may be other than the module's own file (`--set`).
pub(crate) fn evaluate<'p>(
    program: &'p Program,
    module: ModuleId,
    source: &Source,
    names: &[(&'p str, Value)],
    expr: &'p Expr,
    fuel: &mut Fuel,
    problems: &mut Problems,
) -> Value {
    let mut elaborator = Elaborator::new(program, module, fuel, problems);
    for (name, value) in names {
        elaborator.names.bind(name, value.clone());
    }
    elaborator.outside(source, expr)
}

/// Evaluates a static expression of the main file in which these words mean themselves, whatever
/// items are called so; as do the names that nothing defines.
pub(crate) fn evaluate_words<'p>(
    program: &'p Program,
    source: &Source,
    words: &'p HashSet<&'p str>,
    expr: &'p Expr,
    fuel: &mut Fuel,
    problems: &mut Problems,
) -> Value {
    let mut elaborator = Elaborator::new(program, program.main(), fuel, problems);
    elaborator.words = Some(words);
    elaborator.outside(source, expr)
}

/// The limits that a claim sets on networks of these decisions, outside of any space. Problems are
/// placed in `source`.
pub(crate) fn limits<'p>(
    program: &'p Program,
    source: &Source,
    claim: &'p Expr,
    decisions: &[Decision],
    fuel: &mut Fuel,
    problems: &mut Problems,
) -> Vec<Requirement> {
    let mut elaborator = Elaborator::new(program, program.main(), fuel, problems);
    elaborator.foreign = Some(source.clone());
    elaborator.space.decisions = decisions.to_vec();
    // An abort was reported where it arose.
    let _ = elaborator.require(claim);
    elaborator.read_required();
    elaborator.finish().requirements
}

/// The value of a number as written; `None` for an unknown unit.
pub(crate) fn number(literal: &str) -> Option<Value> {
    number::parse(literal).ok()
}
