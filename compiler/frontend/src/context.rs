//! What the functions of items work on: the program, where problems go, and what was read.

use nas_diagnostics::{Help, Place, Problems, diagnostics, suggested};
use nas_grammar::Source;
use nas_grammar::ast::{Expr, Span, TargetEntry};

use crate::elaborate::{self, Fuel, Value};
use crate::modules::{LoadTable, Program};

diagnostics! {
    /// A space that the file does not have.
    Error UnknownSpace [nas::names::space] "there is no space `{name}`" { name: String }
}

/// A program under compilation.
pub(crate) struct Context<'p, 'e> {
    pub(crate) program: &'p Program,
    pub(crate) problems: &'e mut Problems,
    /// Finds latency tables; if none are to be read, no space has a latency.
    pub(crate) tables: Option<&'e LoadTable<'e>>,
    /// Those that were read.
    pub(crate) tables_read: Vec<Source>,
    /// How much elaboration took up to now.
    pub(crate) fuel: Fuel,
}

impl Context<'_, '_> {
    /// The text of the main file.
    pub(crate) fn source(&self) -> Source {
        self.program.modules.first().map_or_else(|| Source::new("", ""), |m| m.source.clone())
    }

    /// Whether the main file has a space of this name.
    pub(crate) fn is_space(&self, name: &str) -> bool {
        self.program.space(self.program.main(), name).is_some()
    }

    /// Whether a space of the main file has a target that names a latency table: if there is no latency
    /// then, that was reported. `target` is that of a search, in the place of the space's own.
    pub(crate) fn names_table(&self, space: &str, target: Option<&str>) -> bool {
        let (program, main) = (self.program, self.program.main());
        let own = program
            .space(main, space)
            .and_then(|(module, space)| Some((module, space.target.as_ref()?.name.as_str())));
        let asked = target.map(|target| (main, target)).or(own);
        let target = asked.and_then(|(module, name)| program.target(module, name));
        self.tables.is_some()
            && target.is_some_and(|(_, target)| {
                target.entries.iter().any(|entry| matches!(entry, TargetEntry::Latency(..)))
            })
    }

    /// A static expression of the main file.
    pub(crate) fn evaluate(&mut self, expr: &Expr, names: &[(&str, Value)]) -> Value {
        let (program, source) = (self.program, self.source());
        let (fuel, problems) = (&mut self.fuel, &mut *self.problems);
        elaborate::evaluate(program, program.main(), &source, names, expr, fuel, problems)
    }

    /// Reports a name that should be that of a space, unless a syntax error may hide the space.
    pub(crate) fn unknown_space(&mut self, name: &str, at: Span) {
        let main = self.program.module(self.program.main());
        if main.is_some_and(|module| module.may_define(name)) {
            return;
        }
        let spaces: Vec<&str> = self.program.spaces().map(|s| s.name.name.as_str()).collect();
        let source = self.source();
        let help = match spaces.as_slice() {
            [] => Help::advice(format!("this file has no space; write `space {name} {{ … }}`")),
            spaces => suggested(source.at(at), name, spaces, "the spaces of this file are"),
        };
        let place = Place::new(&source, at, "not found").help(help);
        self.problems.push(UnknownSpace::at(place, name));
    }
}
