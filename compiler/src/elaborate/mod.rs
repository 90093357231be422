//! From the syntax tree to a space: static expressions evaluated, blocks instantiated, choices
//! turned into decisions. Problems are collected; what one left is poison and stays silent.

mod call;
mod choose;
mod control;
pub mod errors;
mod expr;
mod function;
mod help;
mod node;
mod number;
mod require;
mod scope;
mod space;
mod value;
mod vary;

pub(crate) use expr::compare;
pub(crate) use value::Value;

use rustc_hash::FxHashMap as HashMap;

use miette::Diagnostic;
use nas_grammar::Source;
use nas_grammar::ast::{Arg, Expr, Space as SpaceItem, Span};

use crate::error::{Place, Problems, With};
use crate::ir::origin::{Origin, OriginId};
use crate::ir::{DecisionId, Space};
use crate::modules::{ModuleId, Program};
use errors::{TooDeep, TooManySteps};
use scope::{Mark, Names, Paths};
use vary::Guard;

/// The most expressions that one space may evaluate.
pub const MAX_STEPS: u64 = 50_000_000;
/// The most nodes that one space may have.
pub const MAX_NODES: usize = 2_000_000;
/// The deepest that blocks and expressions may nest together.
pub const MAX_DEPTH: usize = 192;
/// The most elements of a list, and bytes of a string.
pub const MAX_LENGTH: usize = 1_000_000;

/// Elaboration cannot go on: a limit was passed, and reported.
pub(crate) struct Abort;

/// A result that is there unless elaboration cannot go on.
pub(crate) type Eval<T> = Result<T, Abort>;

/// Elaborates a space with these arguments for its parameters. The space is incomplete where
/// problems were reported.
pub fn elaborate<'p>(
    program: &'p Program,
    module: ModuleId,
    item: &'p SpaceItem,
    args: &'p [Arg],
    args_module: ModuleId,
    problems: &mut Problems,
) -> Space {
    let mut elaborator = Elaborator::new(program, module, problems);
    elaborator.space.name = item.name.name.clone();
    elaborator.space.origin = Some(elaborator.origin(item.name.span));
    // An abort was reported where it arose.
    let _ = elaborator.space_item(item, args, args_module);
    elaborator.space
}

/// Evaluates a static expression outside of any space, with these names in scope. Problems are
/// placed in `source`, which may be other than the module's own file (`--set`).
pub(crate) fn evaluate<'p>(
    program: &'p Program,
    module: ModuleId,
    source: &Source,
    names: &[(&'p str, Value)],
    expr: &'p Expr,
    problems: &mut Problems,
) -> Value {
    let mut elaborator = Elaborator::new(program, module, problems);
    elaborator.foreign = Some(source.clone());
    for (name, value) in names {
        elaborator.names.bind(name, value.clone());
    }
    elaborator.expr(expr).unwrap_or(Value::Poison)
}

/// The value of a number as written; `None` for an unknown unit.
pub(crate) fn number(literal: &str) -> Option<Value> {
    number::parse(literal).ok()
}

struct Elaborator<'p, 'e> {
    program: &'p Program,
    problems: &'e mut Problems,
    space: Space,
    /// The file of the block being elaborated.
    module: ModuleId,
    /// The file of the text being evaluated, where that is not the module's.
    foreign: Option<Source>,
    /// The call through which it was reached.
    caller: Option<OriginId>,
    names: Names<'p>,
    paths: Paths,
    /// The blocks being instantiated, to recognise recursion.
    calls: Vec<(ModuleId, &'p str)>,
    /// The conditions under which what is being elaborated exists, outermost first.
    guards: Vec<Guard>,
    /// The decisions of cells, by path: made at the first instance, shared by the others.
    cell_decisions: HashMap<String, DecisionId>,
    depth: usize,
    steps: u64,
}

impl<'p, 'e> Elaborator<'p, 'e> {
    fn new(program: &'p Program, module: ModuleId, problems: &'e mut Problems) -> Self {
        let mut space = Space::default();
        space.origins.sources = program.modules.iter().map(|m| m.source.clone()).collect();
        Self {
            program,
            problems,
            space,
            module,
            foreign: None,
            caller: None,
            names: Names::default(),
            paths: Paths::default(),
            calls: Vec::new(),
            guards: Vec::new(),
            cell_decisions: HashMap::default(),
            depth: 0,
            steps: 0,
        }
    }

    fn source(&self) -> Source {
        if let Some(foreign) = &self.foreign {
            return foreign.clone();
        }
        let module = self.program.module(self.module);
        module.map_or_else(|| Source::new("", ""), |m| m.source.clone())
    }

    /// A place in the file being elaborated, with the calls that led there.
    fn place(&self, span: Span, label: impl Into<String>) -> Place {
        Place::new(&self.source(), span, label).chain(self.space.origins.chain(self.caller))
    }

    /// Reports, and goes on with poison.
    fn report(&mut self, problem: impl Diagnostic + Send + Sync + 'static) -> Value {
        match self.circumstances() {
            with if with.is_empty() => self.problems.push(problem),
            with => self.problems.push(With { problem, with }),
        }
        Value::Poison
    }

    /// Closes a scope. What a name held that nobody read is not reported once more as a tensor
    /// that reaches no output.
    fn close(&mut self, mark: Mark) {
        for value in self.names.close(mark) {
            self.space.dropped.extend(call::tensors(&value).unwrap_or_default());
        }
    }

    fn origin(&mut self, span: Span) -> OriginId {
        self.space.origins.add(Origin { source: self.module.0, span, caller: self.caller })
    }

    /// Counts one evaluated expression, one level deeper, for as long as `inner` runs.
    fn nested<T>(&mut self, span: Span, inner: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<T> {
        self.step(span)?;
        if self.depth >= MAX_DEPTH {
            let place = self.place(span, "the limit is passed here");
            let place = place.help("name parts with `let`, or let blocks call fewer blocks");
            self.report(TooDeep::at(place, MAX_DEPTH));
            return Err(Abort);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Counts one step of work.
    fn step(&mut self, span: Span) -> Eval<()> {
        self.steps += 1;
        if self.steps <= MAX_STEPS {
            return Ok(());
        }
        let place = self.place(span, "elaboration was here").help("make the loops shorter");
        self.report(TooManySteps::at(place, MAX_STEPS));
        Err(Abort)
    }
}
