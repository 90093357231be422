//! Names that mean no value. The pass over names (`names`) reports most; it leaves those of claims
//! and of targets to the statements, whose words are names too.

use nas_diagnostics::{Fix, Help, Reported, nearest};
use nas_grammar::ast::Span;
use nas_ir::ops;

use super::elaborator::Elaborator;
use super::errors::WrongKind;
use crate::foreign::{self, first_line};
use crate::modules::FUNCTIONS;
use crate::names::{UnknownName, habit};

/// What may stand where a name means nothing.
const VALUES: &str = "numbers, strings and constants of the file may stand here";

impl Elaborator<'_, '_> {
    /// Reports a name that means no value here, unless what would define it could not be read.
    pub(super) fn unknown_name(&mut self, name: &str, span: Span) -> Reported {
        let module = self.program.module(self.module);
        // Of so many errors, one more is not shown.
        if !self.problems.has_room() || module.is_some_and(|module| module.may_define(name)) {
            return Reported::elsewhere();
        }
        if let Some(item) = self.program.item_word(self.module, name) {
            let place = self.place(span, format!("this is {item}"));
            return self.report(WrongKind::at(place.advice(VALUES), "a value", item));
        }
        let source = self.source();
        let at = source.at(span);
        let help = habit(at, name).or_else(|| {
            let is_called = at.behind().starts_with('(');
            let callable = || ops::TABLE.iter().map(|row| row.declaration.name).chain(FUNCTIONS);
            if let Some(found) = foreign::callable(name, callable()).filter(|_| is_called) {
                return Some(found.help(at, first_line(&source)));
            }
            let known = self.names.in_scope().chain(callable().filter(|_| is_called));
            nearest(name, known).map(|near| Fix::meant(at, near).into())
        });
        let help = help.unwrap_or_else(|| Help::advice(VALUES));
        let place = self.place(span, "not found here").help(help);
        self.report(UnknownName::at(place, name))
    }
}
