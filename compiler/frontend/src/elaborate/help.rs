//! Edits that would cure a value where it does not fit, made from the value and its text.

use std::fmt;

use nas_diagnostics::nearest;
use nas_grammar::ast::{BinaryOp, Span};
use nas_ir::ops;
use nas_ir::ops::signature::Kind;

use super::elaborator::Elaborator;
use super::errors::WrongKind;
use super::value::Value;

/// Text longer than this is shown as `…`.
const MAX_SNIPPET: usize = 40;

/// What a value was needed as.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Number,
    Whole,
    Positive,
    Flag,
    /// What a `for` goes through.
    List,
    /// What `[…]` after it picks from.
    Indexed,
    /// What `sum` adds up.
    Summand,
    Tensor,
    Tensors,
    /// What a block gives.
    Result,
    /// What `{…}` in a string shows.
    Shown,
    Classes,
    /// Classes of whole pictures.
    AnyClasses,
    Label,
    /// The weight of a loss.
    LossWeight,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wanted::Number => "a number",
            Wanted::Whole => "a whole number",
            Wanted::Positive => "a whole number above 0",
            Wanted::Flag => "`true` or `false`",
            Wanted::List | Wanted::Indexed => "a list",
            Wanted::Summand => "a number or a tensor",
            Wanted::Tensors => "a list of tensors",
            Wanted::Tensor => "a tensor",
            Wanted::Result => "a value at the end of the block",
            Wanted::Shown => "a number, a string, `true` or `false`",
            Wanted::Classes => "a whole number from 2 to 255",
            Wanted::AnyClasses => "a whole number of at least 2",
            Wanted::Label => "a whole number below 256",
            Wanted::LossWeight => "a number above 0",
        })
    }
}

impl Elaborator<'_, '_> {
    /// The text at a place, or `…` where it is too long to repeat.
    pub(super) fn snippet(&self, span: Span) -> String {
        let source = self.source();
        let text = source.text().get(span.range()).unwrap_or_default();
        let fits = !text.is_empty() && text.len() <= MAX_SNIPPET && !text.contains('\n');
        if fits { text.to_owned() } else { "…".to_owned() }
    }

    /// Reports a value of the wrong kind, unless it is poison.
    pub(super) fn wrong_kind(&mut self, value: &Value, wanted: Wanted, span: Span) -> Value {
        if value.is_poison() {
            return Value::Poison;
        }
        let place = self.place(span, format!("this is {}", value.describe()));
        let place = place.help(for_kind(wanted, value, &self.snippet(span)));
        self.report(WrongKind::at(place, wanted.to_string(), value.describe()))
    }
}

/// How to make a value of the wanted kind from one that is not.
fn for_kind(wanted: Wanted, value: &Value, text: &str) -> String {
    match wanted {
        Wanted::Number | Wanted::Whole | Wanted::Positive => for_number(value, text),
        Wanted::Flag => for_flag(value, text),
        Wanted::List => for_list(value, text),
        Wanted::Indexed => match value {
            Value::Tensor(_) => format!("index its shape: `{text}.shape[…]`"),
            _ => "remove the `[…]`".to_owned(),
        },
        Wanted::Summand => "leave it out, or put a number or a tensor in its place".to_owned(),
        Wanted::Tensor | Wanted::Result => for_tensor(value, text),
        Wanted::Tensors => "write a list of tensors, such as `[x, y]`".to_owned(),
        Wanted::AnyClasses => {
            "write the number of classes, such as `task classification(10)`".to_owned()
        }
        Wanted::Shown => match value {
            Value::Tensor(_) => format!("show one of its sizes, such as `{{{text}.channels}}`"),
            _ => format!("show one of its elements, such as `{{{text}[0]}}`"),
        },
        Wanted::Classes => {
            "write the number of classes, such as `task segmentation(19)`".to_owned()
        }
        Wanted::Label => "write the label to ignore, such as `ignore = 255`".to_owned(),
        Wanted::LossWeight => "write a number above 0, such as `weight = 0.4`".to_owned(),
    }
}

fn for_number(value: &Value, text: &str) -> String {
    match value {
        Value::Real(r) => format!("round it: `{}`", rounded(*r, 0, text)),
        Value::Tensor(_) => format!("use one of its sizes, such as `{text}.channels`"),
        Value::Bool(_) => format!("write `if {text} {{ 1 }} else {{ 0 }}`"),
        Value::List(_) | Value::Tuple(_) => format!("take one of its elements: `{text}[0]`"),
        Value::Text(string) if string.parse::<f64>().is_ok() => {
            format!("leave out the quotes: `{string}`")
        }
        _ => "write a number, such as `3`".to_owned(),
    }
}

fn for_flag(value: &Value, text: &str) -> String {
    match value {
        Value::Int(_) | Value::Real(_) => format!("compare it, such as `{text} > 0`"),
        Value::Text(_) => format!("compare it, such as `{text} == \"relu\"`"),
        Value::Tensor(_) => format!("compare one of its sizes, such as `{text}.channels > 8`"),
        Value::List(_) => format!("compare its length: `len({text}) > 0`"),
        _ => "write a comparison, such as `stride == 2`".to_owned(),
    }
}

fn for_list(value: &Value, text: &str) -> String {
    match value {
        Value::Int(_) => format!("write a range: `0..{text}`"),
        Value::Tensor(_) | Value::Real(_) | Value::Text(_) => format!("write `[{text}]`"),
        _ => "write a list, such as `[3, 5]` or `0..4`".to_owned(),
    }
}

fn for_tensor(value: &Value, text: &str) -> String {
    match value {
        Value::Callable(_, name) => format!("apply it to a tensor: `x -> {name}`"),
        Value::List(values) | Value::Tuple(values) if values.len() > 1 => {
            format!("join them: `{text} -> concat`, or give one of them")
        }
        Value::Tuple(values) if values.is_empty() => {
            "end every body with the tensor that it gives, and add an `else` to an `if`".to_owned()
        }
        _ => "write a tensor, such as `x -> relu`".to_owned(),
    }
}

/// How to write what was meant by an operator between these values.
pub(super) fn for_operands(op: BinaryOp, a: (&Value, &str), b: (&Value, &str)) -> String {
    use Value::{Bool, Callable, Int, List, Real, Tensor, Text};
    let ((left, left_text), (right, right_text)) = (a, b);
    let symbol = op.symbol();
    match (left, right) {
        (Tensor(_), Tensor(_)) if is_comparison(op) => {
            format!("compare sizes: `{left_text}.channels {symbol} {right_text}.channels`")
        }
        (Tensor(_), Tensor(_)) => {
            format!(
                "tensors are added or multiplied: write `{left_text} + {right_text}` or `{left_text} * {right_text}`"
            )
        }
        (Callable(..), _) => format!("apply it to a tensor: `(x -> {left_text})`"),
        (_, Callable(..)) => format!("apply it to a tensor: `(x -> {right_text})`"),
        (Tensor(_), _) => {
            format!(
                "use a tensor on both sides, or a size: `{left_text}.channels {symbol} {right_text}`"
            )
        }
        (_, Tensor(_)) => {
            format!(
                "use a tensor on both sides, or a size: `{left_text} {symbol} {right_text}.channels`"
            )
        }
        (Text(_), Text(_)) if op == BinaryOp::Add => {
            "put both into one string: `\"{a}{b}\"`".to_owned()
        }
        (Text(text), _) | (_, Text(text)) if is_comparison(op) && text.parse::<f64>().is_err() => {
            "compare strings with `==` or `!=`".to_owned()
        }
        (List(_), other) if op == BinaryOp::Add && !matches!(other, List(_)) => {
            format!("write `{left_text} + [{right_text}]`")
        }
        (List(_), _) if op == BinaryOp::Mul => {
            "write the elements out, such as `[3, 3]`".to_owned()
        }
        (Int(_) | Real(_), _) if is_logic(op) => for_flag(left, left_text),
        (_, Int(_) | Real(_)) if is_logic(op) => for_flag(right, right_text),
        (Int(_) | Real(_), Int(_) | Real(_)) => "write whole numbers, such as `0..4`".to_owned(),
        (Int(_) | Real(_), other) if !matches!(other, Bool(_)) => for_number(other, right_text),
        (other, Int(_) | Real(_)) => for_number(other, left_text),
        _ => "write two numbers, two tensors or two lists".to_owned(),
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
}

fn is_logic(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::And | BinaryOp::Or)
}

/// An argument of this name that the parameter takes, as near to the given value as may be.
pub(super) fn for_argument(name: &str, kind: Kind, value: &Value, text: &str) -> String {
    let fit = match (kind, value) {
        (Kind::Count(_) | Kind::Pair(_) | Kind::Real, Value::Tensor(_)) => {
            format!("{text}.channels")
        }
        (Kind::Count(min) | Kind::Pair(min), Value::Real(r)) => rounded(*r, min, text),
        (Kind::Pair(_) | Kind::Padding, Value::List(values)) if values.len() == 2 => {
            let [a, b] = [0, 1].map(|i| values.get(i).map(Value::to_string).unwrap_or_default());
            format!("({a}, {b})")
        }
        (Kind::Count(_) | Kind::Pair(_) | Kind::Real, Value::Text(string))
            if string.parse::<f64>().is_ok() =>
        {
            string.to_string()
        }
        (Kind::Flag, Value::Int(n)) => (*n != crate::int::Int::Small(0)).to_string(),
        (Kind::Flag, Value::Text(string)) if matches!(&**string, "true" | "false") => {
            string.to_string()
        }
        (Kind::Word(words), Value::Text(string)) => {
            let near = nearest(string, words.iter().copied());
            return match near {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write `{name} = {}`", example(kind)),
            };
        }
        _ => example(kind),
    };
    format!("write `{name} = {fit}`")
}

/// A whole number in place of a number: the literal rounded, or an expression that rounds.
fn rounded(value: f64, min: u32, text: &str) -> String {
    if text.parse::<f64>().is_ok() {
        value.round().max(f64::from(min)).to_string()
    } else {
        format!("round_to({text}, 1)")
    }
}

/// A value of this kind.
fn example(kind: Kind) -> String {
    match kind {
        Kind::Count(min) | Kind::Pair(min) => min.to_string(),
        Kind::Real | Kind::Fraction => "0.1".to_owned(),
        Kind::Flag => "true".to_owned(),
        Kind::Word(words) => format!("\"{}\"", words.first().copied().unwrap_or_default()),
        Kind::Padding => "\"same\"".to_owned(),
    }
}

/// How to use what stands where something was to be called.
pub(super) fn for_callee(value: &Value, name: &str, flow: Option<&Value>) -> String {
    match value {
        Value::Tensor(_) if flow == Some(value) => {
            "write `identity`, which gives what flows in".to_owned()
        }
        Value::Tensor(_) if flow.is_some() => {
            format!("add the tensors, `x + {name}`, or join them: `concat(x, {name})`")
        }
        Value::Tensor(_) => format!("send it into a step: `{name} -> relu`"),
        Value::Text(text) if ops::find(text).is_some() => {
            format!("decide by it: `if {name} == \"{text}\" {{ {text} }} else {{ identity }}`")
        }
        Value::Text(text) => match nearest(text, ops::TABLE.iter().map(|row| row.declaration.name))
        {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "give a step instead of the string, such as `relu`".to_owned(),
        },
        Value::List(_) | Value::Tuple(_) => {
            format!("apply its elements in turn: `for step in {name} {{ y = y -> step }}`")
        }
        _ => format!("pass it to a step, such as `conv(8, kernel = {name})`"),
    }
}
