//! From the syntax tree to a space: static expressions evaluated, blocks instantiated, choices
//! turned into decisions. Problems are collected; what one left is poison and stays silent.

mod call;
mod candidates;
mod choose;
mod control;
mod copy;
mod elastic;
pub mod errors;
mod expr;
mod function;
mod help;
mod node;
mod number;
mod operators;
mod parameters;
mod partial;
mod require;
mod scope;
mod space;
mod unreachable;
mod value;
mod vary;

use std::collections::HashSet;
use std::rc::Rc;

use indexmap::IndexMap;
use miette::Diagnostic;
use nas_diagnostics::{Place, Problems};
use nas_grammar::Source;
use nas_grammar::ast::{Arg, Expr, Space as SpaceItem, Span};
use nas_ir::diagram::Joints;
use nas_ir::origin::Origin;
use nas_ir::requirement::Requirement;
use nas_ir::{DecisionId, OriginId, Space};
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap};

use crate::modules::{ModuleId, Program};
use copy::{BlockId, Call, Instance, Marks};
use errors::{TooDeep, TooManySteps};
pub(crate) use number::printed;
pub(crate) use operators::compare;
use partial::Partial;
use scope::{Mark, Names, Paths};
use unreachable::{ConditionId, Met};
pub(crate) use value::{Value, Values};
use vary::Guard;

/// The most work that all spaces of a program together may take, in steps: one for each expression,
/// and what an operation on a long value costs more than one on a number.
pub const MAX_STEPS: u64 = 10_000_000;
/// How many steps more there are for each byte of the program.
const STEPS_PER_BYTE: u64 = 100;
/// The most nodes that one space may have.
pub const MAX_NODES: usize = 1_000_000;
/// The deepest that blocks and expressions may nest together, and lists in lists.
pub const MAX_DEPTH: usize = 192;
/// The most elements of a list, those of lists in it included, and bytes of a string.
pub const MAX_LENGTH: usize = 1_000_000;

/// How much work a program took up to now.
#[derive(Debug)]
pub struct Work {
    steps: u64,
    limit: u64,
    /// Whether it was reported that this is too much.
    is_reported: bool,
}

impl Work {
    /// Whether a limit was passed, and reported: then what was elaborated since is incomplete.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_reported
    }

    pub(crate) fn on(program: &Program) -> Self {
        let bytes = program.modules.iter().map(|module| module.source.text().len() as u64);
        let limit = MAX_STEPS + STEPS_PER_BYTE * bytes.sum::<u64>();
        Self { steps: 0, limit, is_reported: false }
    }
}

/// What a report costs.
const REPORT: u64 = 64;

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
    work: &mut Work,
    problems: &mut Problems,
) -> Space {
    let mut elaborator = Elaborator::new(program, module, work, problems);
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
    work: &mut Work,
    problems: &mut Problems,
) -> Value {
    let mut elaborator = Elaborator::new(program, module, work, problems);
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
    work: &mut Work,
    problems: &mut Problems,
) -> Value {
    let mut elaborator = Elaborator::new(program, program.main(), work, problems);
    elaborator.words = Some(words);
    elaborator.outside(source, expr)
}

/// The limits that a claim sets, outside of any space. Problems are placed in `source`.
pub(crate) fn limits<'p>(
    program: &'p Program,
    source: &Source,
    claim: &'p Expr,
    work: &mut Work,
    problems: &mut Problems,
) -> Vec<Requirement> {
    let mut elaborator = Elaborator::new(program, program.main(), work, problems);
    elaborator.foreign = Some(source.clone());
    // An abort was reported where it arose.
    let _ = elaborator.require(claim);
    elaborator.finish().requirements
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
    /// Names that mean themselves, where there may be any.
    words: Option<&'p HashSet<&'p str>>,
    paths: Paths,
    /// The blocks being instantiated, to recognise recursion.
    calls: Vec<BlockId<'p>>,
    /// The blocks that were instantiated up to now, those in one instance each once.
    instantiated: Vec<BlockId<'p>>,
    /// The first instance for each call.
    instances: HashMap<Call<'p>, Rc<Instance<'p>>>,
    /// What selectors say together, as far as it was asked.
    joints: Joints,
    marks: Marks,
    /// The conditions under which what is being elaborated exists, outermost first.
    guards: Vec<Guard>,
    /// What is wrong in some cases of a value, and not yet reported.
    partial: Vec<Partial>,
    /// The conditions that were met, and those that were not and should be.
    conditions: IndexMap<ConditionId, Met, FxBuildHasher>,
    /// How many decisions there were when the block began that is being elaborated.
    outer_decisions: usize,
    /// Where inputs and outputs were named.
    ports: HashMap<(&'static str, &'p str), Span>,
    /// The decisions of cells, by path: made at the first instance, shared by the others.
    cell_decisions: HashMap<String, DecisionId>,
    depth: usize,
    work: &'e mut Work,
}

impl<'p, 'e> Elaborator<'p, 'e> {
    fn new(
        program: &'p Program,
        module: ModuleId,
        work: &'e mut Work,
        problems: &'e mut Problems,
    ) -> Self {
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
            words: None,
            paths: Paths::default(),
            calls: Vec::new(),
            instantiated: Vec::new(),
            instances: HashMap::default(),
            joints: Joints::default(),
            marks: Marks::default(),
            guards: Vec::new(),
            partial: Vec::new(),
            conditions: IndexMap::default(),
            outer_decisions: 0,
            ports: HashMap::default(),
            cell_decisions: HashMap::default(),
            depth: 0,
            work,
        }
    }

    /// The value of an expression of this text, outside of any space.
    fn outside(mut self, source: &Source, expr: &'p Expr) -> Value {
        self.foreign = Some(source.clone());
        let value = self.expr(expr).unwrap_or(Value::Poison);
        self.finish();
        value
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
        self.work.steps += REPORT;
        self.marks.peculiar += 1;
        self.report_here(Box::new(problem));
        Value::Poison
    }

    /// Closes a scope. What a name held that nobody read is not reported once more as a tensor
    /// that reaches no output.
    fn close(&mut self, mark: Mark) {
        for value in self.names.close(mark) {
            let dropped = call::tensors(&value).unwrap_or_default();
            self.marks.peculiar += dropped.len();
            self.space.dropped.extend(dropped);
        }
    }

    fn origin(&mut self, span: Span) -> OriginId {
        self.space.origins.add(Origin { source: self.module.0, span, caller: self.caller })
    }

    /// The space as it is.
    fn finish(mut self) -> Space {
        self.report_partial();
        self.report_unmet();
        self.work.steps += self.space.selectors.visits();
        self.space
    }

    /// A list or a tuple, unless it holds too much.
    fn sequence(
        &mut self,
        make: fn(Values) -> Value,
        values: Vec<Value>,
        span: Span,
    ) -> Eval<Value> {
        self.charge(values.len(), span)?;
        let made = make(Values::from(values));
        if made.size() > MAX_LENGTH + 1 {
            return Ok(self.too_long("a list", "more than a million", span));
        }
        if made.depth() > MAX_DEPTH {
            let place = self.place(span, "the limit is passed here").help("let lists nest less");
            return Ok(self.report(TooDeep::at(place, MAX_DEPTH)));
        }
        Ok(made)
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
        self.charge(1, span)
    }

    /// Counts so many steps of work.
    fn charge(&mut self, steps: usize, span: Span) -> Eval<()> {
        self.work.steps += steps as u64;
        if self.work.steps + self.space.selectors.visits() <= self.work.limit {
            return Ok(());
        }
        if std::mem::replace(&mut self.work.is_reported, true) {
            return Err(Abort);
        }
        let place = self.place(span, "elaboration was here").help("make the loops shorter");
        let limit = self.work.limit;
        self.report(TooManySteps::at(place, limit));
        Err(Abort)
    }
}
