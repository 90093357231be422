//! From the lines of a `target` item to a [`Target`].

use std::sync::Arc;

use nas_diagnostics::{Fix, Help, Place, Problems, listed, suggested};
use nas_grammar::ast::{self, Expr, Ident, SupportRow, TargetEntry};
use nas_ir::{Opset, Precision, ops};
use rustc_hash::FxHashMap as HashMap;

use super::device::{Support, TablePath, Target};
use super::errors::{
    RepeatedEntry, UnknownEntry, UnknownOperator, UnknownParameter, WrongCondition, WrongSetting,
};
use super::support::{Conditions, names_in, placeholders};
use crate::elaborate::{Fuel, Value};
use crate::foreign::{self, Found, Here};
use crate::modules::Program;

/// The settings of a target that take a value.
const SETTINGS: [&str; 3] = ["memory", "opset", "precision"];

/// Reads the lines of an item.
pub(super) struct Reader<'p, 'w> {
    pub(super) program: &'p Program,
    pub(super) fuel: &'w mut Fuel,
    /// Where each line was given.
    pub(super) seen: HashMap<String, ast::Span>,
    pub(super) problems: Problems,
    pub(super) target: Target,
}

impl Reader<'_, '_> {
    fn place(&self, span: ast::Span, label: impl Into<String>) -> Place {
        Place::new(&self.target.source, span, label)
    }

    pub(super) fn entry(&mut self, entry: &TargetEntry) {
        match entry {
            TargetEntry::Setting(name, value) => {
                if self.is_new(&name.name, name.span) {
                    self.setting(name, value);
                }
            }
            TargetEntry::Supports(rows, span) => {
                if self.is_new("supports", *span) {
                    let rows: Vec<Support> =
                        rows.iter().filter_map(|row| self.support(row)).collect();
                    self.target.supports = Some(rows);
                }
            }
            TargetEntry::Latency(path, span) => {
                if self.is_new("latency", *span) {
                    match self.value(path) {
                        Value::Text(text) => {
                            let (path, span) = (text.to_string(), path.span);
                            self.target.latency = Some(TablePath { path, span });
                        }
                        other => {
                            self.wrong("latency table", "the path of a file", &other, path.span)
                        }
                    }
                }
            }
        }
    }

    fn is_new(&mut self, name: &str, span: ast::Span) -> bool {
        let Some(first) = self.seen.insert(name.to_owned(), span) else { return true };
        let place = self.place(span, "again here").label(first, "first here");
        self.problems.push(RepeatedEntry::at(place.advice("remove one of them"), name));
        false
    }

    fn value(&mut self, expr: &Expr) -> Value {
        self.with_names(expr, &[])
    }

    fn with_names(&mut self, expr: &Expr, names: &[(&'static str, Value)]) -> Value {
        let Self { program, fuel, problems, target, .. } = self;
        Conditions { program, fuel, problems }.value(target, expr, names)
    }

    fn setting(&mut self, name: &Ident, value: &Expr) {
        // A precision is a word, not a name of the file.
        let word = match &value.kind {
            ast::ExprKind::Name(word) => Precision::named(word),
            _ => None,
        };
        match name.name.as_str() {
            "precision" => match word {
                Some(precision) => self.target.precision = Some(precision),
                None => {
                    let text = self.target.source.text().get(value.span.range());
                    let found = format!("`{}`", text.unwrap_or_default());
                    let names = Precision::ALL.map(Precision::name);
                    let at = self.target.source.at(value.span);
                    let help = suggested(at, text.unwrap_or_default(), &names, "write one of");
                    let place = self.place(value.span, "no precision").help(help);
                    let expected = format!("one of {}", listed(&names));
                    self.problems.push(WrongSetting::at(place, "precision", expected, found));
                }
            },
            "opset" => match self.whole(value).and_then(Opset::new) {
                Some(opset) => self.target.opset = Some(opset),
                None => {
                    let (oldest, newest) = (Opset::OLDEST, Opset::NEWEST);
                    let expected = format!("a whole number from {oldest} to {newest}");
                    let found = self.value(value);
                    self.wrong("opset", &expected, &found, value.span);
                }
            },
            "memory" => match self.whole(value) {
                Some(bytes) if bytes > 0 => self.target.memory = Some(bytes),
                _ => {
                    let found = self.value(value);
                    self.wrong("memory", "a number of bytes, such as `512KiB`", &found, value.span);
                }
            },
            other => {
                let known = [SETTINGS.as_slice(), &["supports", "latency"]].concat();
                let at = self.target.source.at(name.span);
                let help = suggested(at, other, &known, "its lines are");
                let place = self.place(name.span, "no such setting").help(help);
                self.problems.push(UnknownEntry::at(place, other));
            }
        }
    }

    fn whole(&mut self, expr: &Expr) -> Option<u64> {
        self.value(expr).whole().and_then(|n| u64::try_from(n).ok())
    }

    fn wrong(&mut self, name: &str, expected: &str, found: &Value, span: ast::Span) {
        if !found.is_poison() {
            let place = self.place(span, format!("this is {}", found.describe()));
            let place = place.advice(format!("write {expected}"));
            self.problems.push(WrongSetting::at(place, name, expected, found.describe()));
        }
    }

    /// A row of `supports`, its conditions tried on the operator's defaults.
    fn support(&mut self, row: &SupportRow) -> Option<Support> {
        let name = row.op.name.as_str();
        let Some(found) = ops::find(name) else {
            let known: Vec<&str> = ops::TABLE.iter().map(|row| row.declaration.name).collect();
            let at = self.target.source.at(row.op.span);
            let help = match foreign::callable(name, known.iter().copied()) {
                Some(Found::Ours(meant) | Found::Foreign(Here::Is(meant))) => {
                    Fix::meant(at, meant).into()
                }
                Some(Found::Foreign(here)) => Help::advice(here.words(name)),
                None => suggested(at, name, &known, "the operators are"),
            };
            let place = self.place(row.op.span, "no such operator").help(help);
            self.problems.push(UnknownOperator::at(place, name));
            return None;
        };
        let declaration = found.declaration;
        let names = placeholders(declaration);
        let is_sound = row.conditions.iter().all(|condition| {
            self.names_are_known(name, condition, &names)
                && self.is_condition(name, condition, &names)
        });
        let conditions = row.conditions.iter().cloned().map(Arc::new).collect();
        is_sound.then_some(Support { operator: declaration.name, conditions })
    }

    /// Whether all names in a condition are parameters of the operator or constants of the file.
    fn names_are_known(
        &mut self,
        operator: &str,
        condition: &Expr,
        names: &[(&'static str, Value)],
    ) -> bool {
        let module = self.target.module;
        let unknown = names_in(condition).into_iter().find(|(name, _)| {
            names.iter().all(|(known, _)| known != name)
                && self.program.constant(module, name).is_none()
        });
        let Some((unknown, expr)) = unknown else { return true };
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let at = self.target.source.at(expr.span);
        let help = suggested(at, unknown, &known, "a condition may use");
        let place = self.place(expr.span, "no such parameter").help(help);
        self.problems.push(UnknownParameter::at(place, operator, unknown));
        false
    }

    fn is_condition(
        &mut self,
        operator: &str,
        condition: &Expr,
        names: &[(&'static str, Value)],
    ) -> bool {
        let is_condition =
            matches!(self.with_names(condition, names), Value::Bool(_) | Value::Poison(_));
        if !is_condition {
            let place = self.place(condition.span, "neither true nor false");
            let place = place.advice("compare it, such as `kernel <= 7`");
            self.problems.push(WrongCondition::at(place, operator));
        }
        is_condition
    }
}
