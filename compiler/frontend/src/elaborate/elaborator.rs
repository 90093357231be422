//! The state of an elaboration, and what every part of it does: places, reports, scopes, steps.

use std::collections::HashSet;
use std::rc::Rc;

use indexmap::IndexMap;
use nas_diagnostics::{Place, Problems, Reported};
use nas_grammar::ast::{Expr, Span};
use nas_grammar::{Problem, Source};
use nas_ir::diagram::{Diagram, Joints};
use nas_ir::origin::Origin;
use nas_ir::{DecisionId, OriginId, Precision, Space, Varied};
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap};

use super::errors::{TooDeep, TooManySteps};
use super::instance::{BlockId, Call, Instance, Marks};
use super::limits::{Abort, Eval, Fuel, MAX_DEPTH, MAX_LENGTH, REPORT};
use super::scope::{Mark, Names, Paths};
use super::value::{Value, Values, tensors};
use crate::modules::{ModuleId, Program};

/// A condition under which something is elaborated.
#[derive(Clone, Copy)]
pub(super) enum Guard {
    /// The decision takes this of so many candidates.
    Candidate(DecisionId, usize, usize),
    /// The selector takes this index; a condition holds where it takes 1.
    Case(Diagram, u32),
    /// As [`Guard::Case`], of the cases of a value: what is wrong is the value.
    Value(Diagram, u32),
}

/// What is wrong, where, and in which instance of a block.
pub(super) type Key = (String, usize, Option<OriginId>);

/// A problem of some cases of a value, until all cases were looked at.
pub(super) struct Partial {
    pub(super) key: Key,
    pub(super) problem: Problem,
    /// As in [`nas_diagnostics::in_some_networks`].
    pub(super) with: String,
    /// The file that it is in.
    pub(super) file: String,
    /// The conditions under which there is such a value, and under which one is wrong.
    pub(super) context: Diagram,
    pub(super) wrong: Diagram,
}

/// A condition, by its file and place.
pub(super) type ConditionId = (ModuleId, Span);

/// What is known of a condition.
#[allow(clippy::large_enum_variant, reason = "a program has few conditions that never hold")]
pub(super) enum Met {
    /// It holds in some network.
    Somewhere,
    /// It held in none up to now: its place, and its text.
    Nowhere(Place, String),
}

/// A requirement that is not yet read.
pub(super) struct Required<'p> {
    pub(super) claim: &'p Expr,
    /// What the names in it meant where it stands.
    pub(super) names: Vec<(&'p str, Value)>,
}

pub(super) struct Elaborator<'p, 'e> {
    pub(super) program: &'p Program,
    pub(super) problems: &'e mut Problems,
    pub(super) space: Space,
    /// The file of the block being elaborated.
    pub(super) module: ModuleId,
    /// The file of the text being evaluated, where that is not the module's.
    pub(super) foreign: Option<Source>,
    /// The call through which it was reached.
    pub(super) caller: Option<OriginId>,
    pub(super) names: Names<'p>,
    /// Names that mean themselves, where there may be any.
    pub(super) words: Option<&'p HashSet<&'p str>>,
    pub(super) paths: Paths,
    /// The blocks being instantiated, to recognise recursion.
    pub(super) calls: Vec<BlockId<'p>>,
    /// The blocks that were instantiated up to now, those in one instance each once.
    pub(super) instantiated: Vec<BlockId<'p>>,
    /// The first instance for each call.
    pub(super) instances: HashMap<Call<'p>, Rc<Instance<'p>>>,
    /// What selectors say together, as far as it was asked.
    pub(super) joints: Joints,
    pub(super) marks: Marks,
    /// The conditions under which what is being elaborated exists, outermost first.
    pub(super) guards: Vec<Guard>,
    /// What is made computes with; `None` for the numbers of the target.
    pub(super) precision: Option<Varied<Precision>>,
    /// What is wrong in some cases of a value, and not yet reported.
    pub(super) partial: Vec<Partial>,
    /// The conditions that were met, and those that were not and should be.
    pub(super) conditions: IndexMap<ConditionId, Met, FxBuildHasher>,
    /// How many decisions there were when the block began that is being elaborated.
    pub(super) outer_decisions: usize,
    /// Where inputs and outputs were named.
    pub(super) ports: HashMap<(&'static str, &'p str), Span>,
    /// The decisions of cells, by path: made at the first instance, shared by the others.
    pub(super) cell_decisions: HashMap<String, DecisionId>,
    /// What is required, until all decisions are there.
    pub(super) required: Vec<Required<'p>>,
    /// Whether decisions may be missing, after an error.
    pub(super) is_partial: bool,
    pub(super) depth: usize,
    pub(super) fuel: &'e mut Fuel,
}

impl<'p, 'e> Elaborator<'p, 'e> {
    pub(super) fn new(
        program: &'p Program,
        module: ModuleId,
        fuel: &'e mut Fuel,
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
            precision: None,
            partial: Vec::new(),
            conditions: IndexMap::default(),
            outer_decisions: 0,
            ports: HashMap::default(),
            cell_decisions: HashMap::default(),
            required: Vec::new(),
            is_partial: false,
            depth: 0,
            fuel,
        }
    }

    /// The value of an expression of this text, outside of any space.
    pub(super) fn outside(mut self, source: &Source, expr: &'p Expr) -> Value {
        self.foreign = Some(source.clone());
        let value = self.expr(expr).unwrap_or_else(|Abort(reported)| reported.into());
        self.finish();
        value
    }

    pub(super) fn source(&self) -> Source {
        if let Some(foreign) = &self.foreign {
            return foreign.clone();
        }
        let module = self.program.module(self.module);
        module.map_or_else(|| Source::new("", ""), |m| m.source.clone())
    }

    /// A place in the file being elaborated, with the calls that led there.
    pub(super) fn place(&self, span: Span, label: impl Into<String>) -> Place {
        Place::new(&self.source(), span, label).chain(self.space.origins.chain(self.caller))
    }

    /// The file in which what is wrong here can be cured: that of the call, in the library.
    pub(super) fn editable(&self) -> Source {
        let calls = self.space.origins.chain(self.caller).into_iter().map(|(source, _)| source);
        let mut files = std::iter::once(self.source()).chain(calls);
        files.find(|file| !file.is_library()).unwrap_or_else(|| self.source())
    }

    /// Reports; what cannot be without what is wrong is poison.
    pub(super) fn report(&mut self, problem: Problem) -> Reported {
        self.fuel.steps += REPORT;
        self.marks.peculiar += 1;
        self.report_here(problem)
    }

    /// Closes a scope. What a name held that nobody read is not reported once more as a tensor
    /// that reaches no output.
    pub(super) fn close(&mut self, mark: Mark) {
        for value in self.names.close(mark) {
            let dropped = tensors(&value).unwrap_or_default();
            self.marks.peculiar += dropped.len();
            self.space.dropped.extend(dropped);
        }
    }

    pub(super) fn origin(&mut self, span: Span) -> OriginId {
        self.space.origins.add(Origin { source: self.module.0, span, caller: self.caller })
    }

    /// The space as it is.
    pub(super) fn finish(mut self) -> Space {
        self.report_partial();
        self.report_unmet();
        self.fuel.steps += self.space.selectors.visits();
        self.space
    }

    /// A list or a tuple, unless it holds too much.
    pub(super) fn sequence(
        &mut self,
        make: fn(Values) -> Value,
        values: Vec<Value>,
        span: Span,
    ) -> Eval<Value> {
        self.charge(values.len(), span)?;
        let made = make(Values::from(values));
        if made.size() > MAX_LENGTH + 1 {
            return Ok(self.too_long("a list", "more than a million", span).into());
        }
        if made.depth() > MAX_DEPTH {
            let place = self.place(span, "the limit is passed here").advice("let lists nest less");
            return Ok(self.report(TooDeep::at(place, MAX_DEPTH)).into());
        }
        Ok(made)
    }

    /// Counts one evaluated expression, one level deeper, for as long as `inner` runs.
    pub(super) fn nested<T>(
        &mut self,
        span: Span,
        inner: impl FnOnce(&mut Self) -> Eval<T>,
    ) -> Eval<T> {
        self.step(span)?;
        if self.depth >= MAX_DEPTH {
            let place = self.place(span, "the limit is passed here");
            let place = place.advice("name parts with `let`, or let blocks call fewer blocks");
            return Err(Abort(self.report(TooDeep::at(place, MAX_DEPTH))));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Counts one step of work.
    pub(super) fn step(&mut self, span: Span) -> Eval<()> {
        self.charge(1, span)
    }

    /// Counts so many steps of work.
    pub(super) fn charge(&mut self, steps: usize, span: Span) -> Eval<()> {
        self.fuel.steps += steps as u64;
        if self.fuel.steps + self.space.selectors.visits() <= self.fuel.limit {
            return Ok(());
        }
        if let Some(reported) = self.fuel.reported {
            return Err(Abort(reported));
        }
        let place = self.place(span, "elaboration was here").advice("make the loops shorter");
        let limit = self.fuel.limit;
        let reported = self.report(TooManySteps::at(place, limit));
        self.fuel.reported = Some(reported);
        Err(Abort(reported))
    }
}
