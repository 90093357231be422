//! `target` items: what a device can run. A space `for` a target holds only networks that it runs.

use std::sync::Arc;

use nas_grammar::Source;
use nas_grammar::ast::{self, Expr, Ident, SupportRow, TargetEntry};
use rustc_hash::FxHashMap as HashMap;

use crate::analyse::liveness::Liveness;
use crate::check::Checked;
use crate::compile::Compiler;
use crate::elaborate::{self, Value, Work};
use crate::error::{Place, Problems, diagnostics};
use crate::int::Int;
use crate::ir::operation::Operation;
use crate::ir::{Node, NodeKind, Space};
use crate::modules::{ModuleId, Program};
use crate::names::did_you_mean;
use crate::ops::signature::Argument;
use crate::ops::{self, Op};
use crate::shape::Shape;

diagnostics! {
    /// A target that the file does not have.
    Error UnknownTarget [nas::target::unknown] "there is no target `{name}`" { name: String }
    /// A line of a target that means nothing.
    Error UnknownEntry [nas::target::entry] "a target has no setting `{name}`" { name: String }
    /// A value that the setting does not take.
    Error WrongSetting [nas::target::value] "`{name}` takes {expected}, not {found}" { name: String, expected: String, found: String }
    /// A line that is there twice.
    Error RepeatedEntry [nas::target::repeated] "`{name}` is given twice" { name: String }
    /// An operator that the language does not have.
    Error UnknownOperator [nas::target::operator] "there is no operator `{name}`" { name: String }
    /// A condition that is no condition on an operator's arguments.
    Error WrongCondition [nas::target::condition] "a condition on `{operator}` is true or false" { operator: String }
    /// A name in a condition that is no parameter.
    Error UnknownParameter [nas::target::parameter] "`{operator}` has no parameter `{name}`" { operator: String, name: String }
    /// A part of a space that its target cannot run.
    Error Unsupported [nas::target::unsupported] "target `{target}` cannot run this: {reason}" { target: String, reason: String }
}

/// The ONNX operator sets that can be written.
const OPSETS: std::ops::RangeInclusive<u32> = 13..=21;
/// The settings of a target that take a value.
const SETTINGS: [&str; 3] = ["memory", "opset", "precision"];
/// The precisions, by name.
const PRECISIONS: [(&str, Precision); 3] =
    [("fp32", Precision::Fp32), ("fp16", Precision::Fp16), ("int8", Precision::Int8)];

/// What numbers a device computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    Fp32,
    /// 16-bit floats.
    Fp16,
    /// 8-bit integers.
    Int8,
}

impl Precision {
    /// Bytes of one number.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Precision::Fp32 => 4,
            Precision::Fp16 => 2,
            Precision::Int8 => 1,
        }
    }
}

/// A device.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The ONNX operator set that it reads.
    pub opset: Option<u32>,
    /// What it computes with.
    pub precision: Option<Precision>,
    /// Bytes for weights and activations.
    pub memory: Option<u64>,
    /// The file of its latency table.
    pub latency: Option<String>,
    /// The operators that it runs; all, if the item does not say.
    supports: Option<Vec<Support>>,
    module: ModuleId,
    source: Source,
}

/// An operator that a device runs, as far as the conditions hold.
#[derive(Debug, Clone)]
struct Support {
    operator: &'static str,
    conditions: Vec<Arc<Expr>>,
}

impl<'p> Compiler<'p, '_> {
    /// The target of this name, or `None` after a report.
    pub fn target(&mut self, name: &Ident) -> Option<Target> {
        let program = self.program;
        let Some((module, item)) = program.target(program.main(), &name.name) else {
            let known: Vec<&str> = program.targets().map(|t| t.name.name.as_str()).collect();
            let help = match known.as_slice() {
                [] => format!("this file has no target; write `target {} {{ … }}`", name.name),
                known => did_you_mean(&name.name, known, "the targets of this file are"),
            };
            let place = Place::new(&self.source(), name.span, "not found").help(help);
            self.problems.push(UnknownTarget::at(place, name.name.as_str()));
            return None;
        };
        self.read_target(module, item)
    }

    /// The target that an item describes, or `None` after a report.
    pub(crate) fn read_target(
        &mut self,
        module: ModuleId,
        item: &'p ast::Target,
    ) -> Option<Target> {
        let source = self.program.module(module).map(|module| module.source.clone())?;
        let mut reader = Reader {
            program: self.program,
            work: &mut self.work,
            seen: HashMap::default(),
            problems: Problems::default(),
            target: Target {
                name: item.name.name.clone(),
                opset: None,
                precision: None,
                memory: None,
                latency: None,
                supports: None,
                module,
                source,
            },
        };
        item.entries.iter().for_each(|entry| reader.entry(entry));
        let Reader { problems, target, .. } = reader;
        let is_sound = !problems.has_errors();
        self.problems.extend(problems.into_vec());
        is_sound.then_some(target)
    }

    /// Reports what the networks of a space hold that its target cannot run, once for each place.
    pub(crate) fn check_target(&mut self, space: &Checked<Space>, target: &Target) {
        let Ok(mut liveness) = Liveness::of(space) else { return };
        let mut known: HashMap<String, Option<String>> = HashMap::default();
        for (id, node) in space.graph.nodes() {
            let (NodeKind::Op(op), Some(alive)) = (&node.kind, liveness.node(id)) else { continue };
            let operation = Operation::of(space, node, op);
            let cases = operation.cases(&mut liveness.conditions, alive);
            for (op, inputs, _) in operation.combinations(&cases) {
                let key = format!("{op:?} {inputs:?}");
                let (work, problems) = (&mut self.work, &mut *self.problems);
                let reason = known
                    .entry(key)
                    .or_insert_with(|| target.refusal(self.program, op, &inputs, work, problems));
                if let Some(reason) = reason {
                    self.unsupported(space, node, target, reason);
                    break;
                }
            }
        }
    }

    fn unsupported(&mut self, space: &Space, node: &Node, target: &Target, reason: &str) {
        let mut chain = space.origins.chain(node.origin).into_iter();
        let Some((source, span)) = chain.next() else { return };
        let place = Place::new(&source, span, "not supported")
            .chain(chain.collect())
            .help(format!("leave the candidate out, or add what it needs to `{}`", target.name));
        self.problems.push(Unsupported::at(place, target.name.as_str(), reason));
    }
}

impl Target {
    /// Why the device cannot run an operator on operands of these shapes, if it cannot.
    fn refusal(
        &self,
        program: &Program,
        op: &Op,
        inputs: &[Shape],
        work: &mut Work,
        problems: &mut Problems,
    ) -> Option<String> {
        let supports = self.supports.as_ref().filter(|_| !op.vanishes())?;
        let name = op.declaration().name;
        let mut rows = supports.iter().filter(|row| row.operator == name).peekable();
        if rows.peek().is_none() {
            return Some(format!("it has no `{name}`"));
        }
        let names = [0, 1].map(|direction| condition_names(op, inputs, direction));
        let mut failed = None;
        for row in rows {
            let fails = row.conditions.iter().find(|condition| {
                names.iter().any(|names| {
                    self.evaluate(program, condition, names, work, problems) != Value::Bool(true)
                })
            });
            let condition = fails?;
            let text = self.source.text().get(condition.span.range()).unwrap_or_default();
            failed.get_or_insert_with(|| text.to_owned());
        }
        let condition = failed?;
        let named = subjects(op, inputs).into_iter().filter(|(name, _)| condition.contains(name));
        let here: Vec<String> = named.map(|(name, value)| format!("{name} = {value}")).collect();
        Some(format!("`{name}` only where {condition}, and here {}", here.join(", ")))
    }

    fn evaluate(
        &self,
        program: &Program,
        condition: &Expr,
        names: &[(&str, Value)],
        work: &mut Work,
        problems: &mut Problems,
    ) -> Value {
        elaborate::evaluate(program, self.module, &self.source, names, condition, work, problems)
    }
}

/// What a condition may speak of: the arguments, and the channels of the operand.
fn subjects(op: &Op, inputs: &[Shape]) -> Vec<(&'static str, Argument)> {
    let channels = inputs.first().map_or(0, Shape::channels);
    op.arguments().iter().chain([("channels", Argument::Count(channels))]).collect()
}

/// What the names in a condition stand for. Where an argument is vertical and horizontal, its part
/// in this direction: a condition must hold in both.
fn condition_names(op: &Op, inputs: &[Shape], direction: usize) -> Vec<(&'static str, Value)> {
    let count = |n: u32| Value::small(i64::from(n));
    let value = |argument: Argument| match argument {
        Argument::Count(n) => count(n),
        Argument::Pair(pair) => count(pair.get(direction).copied().unwrap_or_default()),
        Argument::Sides { before, after } => {
            let of = |sides: [u32; 2]| sides.get(direction).copied().unwrap_or_default();
            count(of(before).max(of(after)))
        }
        Argument::Real(r) => Value::Real(r),
        Argument::Flag(flag) => Value::Bool(flag),
        Argument::Word(word) => Value::Text(word.into()),
    };
    let subjects = subjects(op, inputs).into_iter();
    subjects.map(|(name, argument)| (name, value(argument))).collect()
}

struct Reader<'p, 'w> {
    program: &'p Program,
    work: &'w mut Work,
    /// Where each line was given.
    seen: HashMap<String, ast::Span>,
    problems: Problems,
    target: Target,
}

impl Reader<'_, '_> {
    fn place(&self, span: ast::Span, label: impl Into<String>) -> Place {
        Place::new(&self.target.source, span, label)
    }

    fn entry(&mut self, entry: &TargetEntry) {
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
                        Value::Text(path) => self.target.latency = Some(path.to_string()),
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
        self.problems.push(RepeatedEntry::at(place.help("remove one of them"), name));
        false
    }

    fn value(&mut self, expr: &Expr) -> Value {
        self.target.evaluate(self.program, expr, &[], self.work, &mut self.problems)
    }

    fn setting(&mut self, name: &Ident, value: &Expr) {
        // A precision is a word, not a name of the file.
        let word = match &value.kind {
            ast::ExprKind::Name(word) => PRECISIONS.iter().find(|(name, _)| name == word),
            _ => None,
        };
        match name.name.as_str() {
            "precision" => match word {
                Some((_, precision)) => self.target.precision = Some(*precision),
                None => {
                    let text = self.target.source.text().get(value.span.range());
                    let found = format!("`{}`", text.unwrap_or_default());
                    let names = PRECISIONS.map(|(name, _)| format!("`{name}`")).join(", ");
                    let place = self.place(value.span, "no precision");
                    let place = place.help(format!("write one of {names}"));
                    let expected = format!("one of {names}");
                    self.problems.push(WrongSetting::at(place, "precision", expected, found));
                }
            },
            "opset" => match self.whole(value).and_then(|n| u32::try_from(n).ok()) {
                Some(opset) if OPSETS.contains(&opset) => self.target.opset = Some(opset),
                _ => {
                    let expected =
                        format!("a whole number from {} to {}", OPSETS.start(), OPSETS.end());
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
                let help = did_you_mean(other, &known, "its lines are");
                let place = self.place(name.span, "no such setting").help(help);
                self.problems.push(UnknownEntry::at(place, other));
            }
        }
    }

    fn whole(&mut self, expr: &Expr) -> Option<u64> {
        match self.value(expr) {
            Value::Int(n) => n.to_i64().and_then(|n| u64::try_from(n).ok()),
            _ => None,
        }
    }

    fn wrong(&mut self, name: &str, expected: &str, found: &Value, span: ast::Span) {
        if !found.is_poison() {
            let place = self.place(span, format!("this is {}", found.describe()));
            let place = place.help(format!("write {expected}"));
            self.problems.push(WrongSetting::at(place, name, expected, found.describe()));
        }
    }

    /// A row of `supports`, its conditions tried on the operator's defaults.
    fn support(&mut self, row: &SupportRow) -> Option<Support> {
        let name = row.op.name.as_str();
        let Some(found) = ops::find(name) else {
            let known: Vec<&str> = ops::TABLE.iter().map(|row| row.declaration.name).collect();
            let help = did_you_mean(name, &known, "the operators are");
            let place = self.place(row.op.span, "no such operator").help(help);
            self.problems.push(UnknownOperator::at(place, name));
            return None;
        };
        let declaration = found.declaration;
        let names = placeholders(declaration);
        for condition in &row.conditions {
            if let Some((unknown, span)) = unknown_name(condition, &names) {
                let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                let help = did_you_mean(unknown, &known, "a condition may use");
                let place = self.place(span, "no such parameter").help(help);
                self.problems.push(UnknownParameter::at(place, name, unknown));
                return None;
            }
            let (work, problems) = (&mut *self.work, &mut self.problems);
            let value = self.target.evaluate(self.program, condition, &names, work, problems);
            if !matches!(value, Value::Bool(_) | Value::Poison) {
                let place = self.place(condition.span, "neither true nor false");
                let place = place.help("compare it, such as `kernel <= 7`");
                self.problems.push(WrongCondition::at(place, name));
                return None;
            }
        }
        let conditions = row.conditions.iter().cloned().map(Arc::new).collect();
        Some(Support { operator: declaration.name, conditions })
    }
}

/// A value of the right kind for each name that a condition on an operator may use.
fn placeholders(declaration: &'static ops::signature::Declaration) -> Vec<(&'static str, Value)> {
    use ops::signature::Kind;
    let value = |kind: Kind| match kind {
        Kind::Count(_) | Kind::Pair(_) => Value::Int(Int::Small(1)),
        Kind::Real | Kind::Fraction => Value::Real(0.5),
        Kind::Flag => Value::Bool(false),
        Kind::Word(words) => Value::Text(words.first().copied().unwrap_or_default().into()),
        Kind::Padding => Value::Int(Int::Small(0)),
    };
    let params = declaration.params.iter().map(|param| (param.name, value(param.kind)));
    params.chain([("channels", Value::Int(Int::Small(1)))]).collect()
}

/// A name in a condition that stands for nothing.
fn unknown_name<'x>(condition: &'x Expr, names: &[(&str, Value)]) -> Option<(&'x str, ast::Span)> {
    use ast::ExprKind::{Binary, Name, Paren, Unary};
    match &condition.kind {
        Name(name) => {
            let is_known = names.iter().any(|(known, _)| known == name);
            (!is_known).then_some((name.as_str(), condition.span))
        }
        Binary(_, left, right) => unknown_name(left, names).or_else(|| unknown_name(right, names)),
        Unary(_, inner) | Paren(inner) => unknown_name(inner, names),
        _ => None,
    }
}
