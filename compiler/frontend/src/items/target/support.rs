//! What a device runs: operators, with conditions on their arguments.

use std::fmt;
use std::sync::Arc;

use nas_diagnostics::{Problems, fault};
use nas_grammar::ast::{Expr, ExprKind};
use nas_ir::ops::ShapeProblem;
use nas_ir::ops::signature::{Argument, Declaration, Kind};
use nas_ir::{Op, Shape};

use super::device::Target;
use crate::elaborate::{self, Fuel, Value};
use crate::int::Int;
use crate::modules::Program;

/// Why a device cannot run an operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// The operator.
    pub operator: &'static str,
    /// The condition that fails, as it is written; `None` if the device does not have the operator.
    pub condition: Option<String>,
    /// What the names in the condition stand for: `kernel = 5, MOST = 3`.
    pub here: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { operator, condition, here } = self;
        match condition {
            None => write!(f, "it has no `{operator}`"),
            Some(condition) if here.is_empty() => write!(f, "`{operator}` only where {condition}"),
            Some(condition) => write!(f, "`{operator}` only where {condition}, and here {here}"),
        }
    }
}

/// A value for each direction: vertical and horizontal.
type Sides = [Value; 2];

/// What a condition may speak of beside the arguments of the operator.
const CHANNELS: &str = "channels";
const PADDING: [&str; 2] = ["padding_before", "padding_after"];

/// How a condition is evaluated.
pub(super) struct Conditions<'c> {
    pub(super) program: &'c Program,
    pub(super) fuel: &'c mut Fuel,
    pub(super) problems: &'c mut Problems,
}

impl Conditions<'_> {
    /// The value of an expression of a target, with these names in it.
    pub(super) fn value(
        &mut self,
        target: &Target,
        expr: &Expr,
        names: &[(&'static str, Value)],
    ) -> Value {
        let Self { program, fuel, problems } = self;
        elaborate::evaluate(program, target.module, &target.source, names, expr, fuel, problems)
    }

    /// Why the device cannot run an operator on operands of these shapes, if it cannot.
    pub(super) fn refusal(
        &mut self,
        target: &Target,
        op: &Op,
        inputs: &[Shape],
    ) -> Option<Refusal> {
        let supports = target.supports.as_ref().filter(|_| !op.vanishes())?;
        let operator = op.declaration().name;
        // INVARIANT: a checked network has operands that its operators take.
        let subjects = subjects(op, inputs).unwrap_or_else(|_| fault("operands that do not fit"));
        // Of the rows that fail, those of which most holds before say all that is missing.
        let mut most = 0;
        let mut rows: Vec<Vec<&Expr>> = Vec::new();
        for row in supports.iter().filter(|row| row.operator == operator) {
            let fails = |condition: &Arc<Expr>| !self.holds(target, condition, &subjects);
            let fails: Vec<bool> = row.conditions.iter().map(fails).collect();
            let place = fails.iter().position(|fails| *fails)?;
            if place > most {
                rows.clear();
                most = place;
            }
            if place == most {
                let failing = row.conditions.iter().zip(fails).filter(|(_, fails)| *fails);
                rows.push(failing.map(|(condition, _)| condition.as_ref()).collect());
            }
        }
        let text = |expr: &&Expr| target.source.text().get(expr.span.range()).unwrap_or_default();
        let all = |failing: &Vec<&Expr>| failing.iter().map(text).collect::<Vec<_>>().join(" and ");
        let condition = rows.iter().map(all).collect::<Vec<_>>().join(" or ");
        let condition = (!rows.is_empty()).then_some(condition);
        Some(Refusal { operator, condition, here: self.named(target, &rows.concat(), &subjects) })
    }

    /// Whether a condition holds in both directions.
    fn holds(&mut self, target: &Target, expr: &Expr, subjects: &[(&'static str, Sides)]) -> bool {
        [0, 1].into_iter().all(|direction| {
            self.value(target, expr, &facing(subjects, direction)) == Value::Bool(true)
        })
    }

    /// What the names in conditions stand for, constants of the file among them.
    fn named(
        &mut self,
        target: &Target,
        conditions: &[&Expr],
        subjects: &[(&'static str, Sides)],
    ) -> String {
        let mut shown: Vec<String> = Vec::new();
        for (name, expr) in conditions.iter().flat_map(|condition| names_in(condition)) {
            let value = match subjects.iter().find(|(subject, _)| *subject == name) {
                Some((_, sides)) => show(sides),
                None => show(&[0, 1].map(|_| self.value(target, expr, &[]))),
            };
            let named = format!("{name} = {value}");
            if !shown.contains(&named) {
                shown.push(named);
            }
        }
        shown.join(", ")
    }
}

/// The names in a condition, and where they stand.
pub(super) fn names_in(condition: &Expr) -> Vec<(&str, &Expr)> {
    match &condition.kind {
        ExprKind::Name(name) => vec![(name.as_str(), condition)],
        ExprKind::Binary(_, left, right) => [names_in(left), names_in(right)].concat(),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => names_in(inner),
        ExprKind::Call(_, args) => args.iter().flat_map(|arg| names_in(&arg.value)).collect(),
        _ => Vec::new(),
    }
}

/// A value of the right kind for each name that a condition on an operator may use.
pub(super) fn placeholders(declaration: &'static Declaration) -> Vec<(&'static str, Value)> {
    let one = Value::Int(Int::Small(1));
    let value = |kind: Kind| match kind {
        Kind::Count(_) | Kind::Pair(_) | Kind::Padding => one.clone(),
        Kind::Real | Kind::Fraction => Value::Real(0.5),
        Kind::Flag => Value::Bool(false),
        Kind::Word(words) => Value::Text(words.first().copied().unwrap_or_default().into()),
    };
    let params = declaration.params.iter();
    let has_padding = params.clone().any(|param| param.kind == Kind::Padding);
    let sides = PADDING.into_iter().filter(|_| has_padding);
    let more = [CHANNELS].into_iter().chain(sides).map(|name| (name, one.clone()));
    params.map(|param| (param.name, value(param.kind))).chain(more).collect()
}

/// What the names in a condition stand for: the arguments, the channels of the operand, and the
/// padding of windows as an engine is told it.
fn subjects(op: &Op, inputs: &[Shape]) -> Result<Vec<(&'static str, Sides)>, ShapeProblem> {
    let both = |value: Value| [value.clone(), value];
    let mut subjects: Vec<(&'static str, Sides)> =
        op.arguments().iter().map(|(name, argument)| (name, sides(argument))).collect();
    subjects.extend(inputs.first().map(|shape| (CHANNELS, both(count(shape.channels())))));
    if let Some(padding) = op.window_padding(inputs)? {
        let [before, after] = PADDING;
        subjects.push((before, padding.before.map(count)));
        subjects.push((after, padding.after.map(count)));
    }
    for (name, [vertical, horizontal]) in op.alternatives(inputs)? {
        subjects.retain(|(given, _)| *given != name);
        let ([vertical, _], [_, horizontal]) = (sides(vertical), sides(horizontal));
        subjects.push((name, [vertical, horizontal]));
    }
    Ok(subjects)
}

fn count(n: u32) -> Value {
    Value::small(i64::from(n))
}

fn sides(argument: Argument) -> Sides {
    let both = |value: Value| [value.clone(), value];
    match argument {
        Argument::Count(n) => both(count(n)),
        Argument::Pair(pair) => pair.map(count),
        Argument::Sides { before: [top, left], after: [bottom, right] } => {
            [top.max(bottom), left.max(right)].map(count)
        }
        Argument::Real(r) => both(Value::Real(r)),
        Argument::Flag(flag) => both(Value::Bool(flag)),
        Argument::Word(word) => both(Value::Text(word.into())),
    }
}

/// The names of one direction: a condition must hold in both.
fn facing(subjects: &[(&'static str, Sides)], direction: usize) -> Vec<(&'static str, Value)> {
    let value = |sides: &Sides| {
        let value = sides.get(direction).cloned();
        value.unwrap_or_else(|| fault("a direction is 0 or 1"))
    };
    subjects.iter().map(|(name, sides)| (*name, value(sides))).collect()
}

fn show([vertical, horizontal]: &Sides) -> String {
    let one = |value: &Value| match value {
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_string(),
    };
    if vertical == horizontal {
        one(vertical)
    } else {
        format!("({}, {})", one(vertical), one(horizontal))
    }
}
