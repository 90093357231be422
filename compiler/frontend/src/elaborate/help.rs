//! Edits that would cure a value where it does not fit, made from the value and its text.

use std::fmt;

use nas_diagnostics::{Fix, Help, Reported, nearest};
use nas_grammar::Source;
use nas_grammar::ast::{BinaryOp, Span};
use nas_grammar::source::At;
use nas_ir::ops;
use nas_ir::ops::signature::Kind;

use super::elaborator::Elaborator;
use super::errors::WrongKind;
use super::value::Value;
use crate::foreign::{self, Found, Here};

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
    /// An element of what `min` and `max` compare.
    Compared,
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
    /// Classes of which several may apply.
    Labels,
    /// Numbers of a regression.
    Values,
    Label,
    /// The weight of a loss.
    LossWeight,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wanted::Number | Wanted::Compared => "a number",
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
            Wanted::Labels | Wanted::Values => "a whole number of at least 1",
            Wanted::Label => "a whole number below 256",
            Wanted::LossWeight => "a number above 0",
        })
    }
}

impl Elaborator<'_, '_> {
    /// The text at a place, or `…` where it is too long to repeat.
    pub(super) fn snippet(&self, span: Span) -> String {
        snippet(self.source().at(span))
    }

    /// Reports a value of the wrong kind, unless it is poison.
    pub(super) fn wrong_kind(&mut self, value: &Value, wanted: Wanted, span: Span) -> Reported {
        let source = self.source();
        self.wrong_kind_with(value, wanted, span, || for_kind(wanted, value, source.at(span)))
    }

    /// As [`Elaborator::wrong_kind`], with another help.
    pub(super) fn wrong_kind_with(
        &mut self,
        value: &Value,
        wanted: Wanted,
        span: Span,
        help: impl FnOnce() -> Help,
    ) -> Reported {
        if let Value::Poison(reported) = value {
            return *reported;
        }
        let place = self.place(span, format!("this is {}", value.describe())).help(help());
        self.report(WrongKind::at(place, wanted.to_string(), value.describe()))
    }
}

/// The text at a place, or `…` where it is too long to repeat.
fn snippet(at: At<'_>) -> String {
    let text = at.text();
    let fits = !text.is_empty() && text.len() <= MAX_SNIPPET && !text.contains('\n');
    if fits { text.to_owned() } else { "…".to_owned() }
}

/// The text at a place as something to which `.` or an operator may be added.
fn operand(at: At<'_>) -> String {
    let text = at.text();
    let mut depth = 0usize;
    let is_loose = text.chars().any(|c| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (c.is_whitespace() || "+-*/%^<>=".contains(c))
    });
    if is_loose { format!("({text})") } else { text.to_owned() }
}

/// What stands between the quotes of a string that is written out at a place.
fn literal(at: At<'_>) -> Option<&str> {
    let inside = at.text().strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('"')).then_some(inside)
}

/// How to make a value of the wanted kind from one that is not and stands at a place.
fn for_kind(wanted: Wanted, value: &Value, at: At<'_>) -> Help {
    match wanted {
        Wanted::Number | Wanted::Whole | Wanted::Positive => for_number(value, at),
        Wanted::Flag => for_flag(value, at),
        Wanted::List => for_list(value, at),
        Wanted::Indexed => for_indexed(value, at),
        Wanted::Compared => Help::advice("put a number in its place"),
        Wanted::Summand => Help::advice("leave it out, or put a number or a tensor in its place"),
        Wanted::Tensor | Wanted::Result => for_tensor(value, at),
        Wanted::Tensors => Help::advice("write a list of tensors, such as `[x, y]`"),
        Wanted::AnyClasses => {
            Help::advice("write the number of classes, such as `task classification(10)`")
        }
        Wanted::Labels => {
            Help::advice("write the number of classes, such as `task multilabel(14)`")
        }
        Wanted::Values => Help::advice(
            "write how many numbers a pixel or an image has, such as `task regression(1)`",
        ),
        Wanted::Shown => for_shown(value, at),
        Wanted::Classes => {
            Help::advice("write the number of classes, such as `task segmentation(19)`")
        }
        Wanted::Label => Help::advice("write the label to ignore, such as `ignore = 255`"),
        Wanted::LossWeight => Help::advice("write a number above 0, such as `weight = 0.4`"),
    }
}

/// One of the sizes of the tensor at a place.
fn size(at: At<'_>, says: impl FnOnce(&str) -> String) -> Help {
    Fix::replace(at, format!("{}.channels", operand(at)), says).into()
}

fn for_number(value: &Value, at: At<'_>) -> Help {
    match value {
        Value::Real(r) => {
            let says = |new: &str| format!("round it: `{new}`");
            Fix::replace(at, rounded(*r, 0, at.text()), says).into()
        }
        Value::Tensor(_) => size(at, |new| format!("use one of its sizes, such as `{new}`")),
        Value::Bool(_) => Fix::write(at, format!("if {} {{ 1 }} else {{ 0 }}", at.text())).into(),
        Value::List(_) | Value::Tuple(_) => {
            Help::advice(format!("take one of its elements: `{}[0]`", snippet(at)))
        }
        Value::Text(string) if string.parse::<f64>().is_ok() => {
            let says = |new: &str| format!("leave out the quotes: `{new}`");
            match literal(at) {
                Some(number) => Fix::replace(at, number, says).into(),
                None => Help::advice(says(string)),
            }
        }
        _ => Help::advice("write a number, such as `3`"),
    }
}

fn for_flag(value: &Value, at: At<'_>) -> Help {
    match value {
        Value::Int(_) | Value::Real(_) => {
            let says = |new: &str| format!("compare it, such as `{new}`");
            Fix::replace(at, format!("{} > 0", operand(at)), says).into()
        }
        Value::Text(_) => {
            Help::advice(format!("compare it, such as `{} == \"relu\"`", snippet(at)))
        }
        Value::Tensor(_) => Help::advice(format!(
            "compare one of its sizes, such as `{}.channels > 8`",
            snippet(at)
        )),
        Value::List(_) => {
            let says = |new: &str| format!("compare its length: `{new}`");
            Fix::replace(at, format!("len({}) > 0", at.text()), says).into()
        }
        _ => Help::advice("write a comparison, such as `stride == 2`"),
    }
}

fn for_list(value: &Value, at: At<'_>) -> Help {
    match value {
        Value::Int(_) => {
            let says = |new: &str| format!("write a range: `{new}`");
            Fix::replace(at, format!("0..{}", at.text()), says).into()
        }
        Value::Tensor(_) | Value::Real(_) | Value::Text(_) => {
            Fix::write(at, format!("[{}]", at.text())).into()
        }
        _ => Help::advice("write a list, such as `[3, 5]` or `0..4`"),
    }
}

fn for_indexed(value: &Value, at: At<'_>) -> Help {
    match value {
        Value::Tensor(_) => {
            let says = |new: &str| format!("index its shape: `{new}[…]`");
            Fix::replace(at, format!("{}.shape", operand(at)), says).into()
        }
        _ => Help::advice("remove the `[…]`"),
    }
}

/// The help of an index behind what has no elements.
pub(super) fn without_index(value: &Value, at: At<'_>, whole: Span) -> Help {
    let index = at.move_to(at.span.range().end, whole.range().end);
    match value {
        Value::Tensor(_) => for_indexed(value, at),
        _ => Fix::remove(index, |gone| format!("remove the `{gone}`")).into(),
    }
}

fn for_shown(value: &Value, at: At<'_>) -> Help {
    match value {
        Value::Tensor(_) => size(at, |new| format!("show one of its sizes, such as `{{{new}}}`")),
        _ => Help::advice(format!("show one of its elements, such as `{{{}[0]}}`", snippet(at))),
    }
}

fn for_tensor(value: &Value, at: At<'_>) -> Help {
    match value {
        Value::Callable(_, name) => Help::advice(format!("apply it to a tensor: `x -> {name}`")),
        Value::List(values) | Value::Tuple(values) if values.len() > 1 => {
            let says = |new: &str| format!("join them: `{new}`, or give one of them");
            Fix::replace(at, format!("{} -> concat", at.text()), says).into()
        }
        Value::Tuple(values) if values.is_empty() => Help::advice(
            "end every body with the tensor that it gives, and add an `else` to an `if`",
        ),
        _ => Help::advice("write a tensor, such as `x -> relu`"),
    }
}

/// How to write what was meant by an operator between these values.
pub(super) fn for_operands(op: BinaryOp, a: (&Value, At<'_>), b: (&Value, At<'_>)) -> Help {
    use Value::{Bool, Callable, Int, List, Real, Tensor, Text};
    let ((left, left_at), (right, right_at)) = (a, b);
    let symbol = op.symbol();
    match (left, right) {
        (Tensor(_), Tensor(_)) if is_comparison(op) => {
            let says = |new: &str| format!("compare sizes: `{new}`");
            let [left, right] = [left_at, right_at].map(operand);
            let sizes = format!("{left}.channels {symbol} {right}.channels");
            Fix::replace(both(left_at, right_at), sizes, says).into()
        }
        (Tensor(_), Tensor(_)) => {
            let [left, right] = [left_at, right_at].map(snippet);
            Help::advice(format!(
                "tensors are added or multiplied: write `{left} + {right}` or `{left} * {right}`"
            ))
        }
        (Callable(..), other) => applied(left_at, (other, right_at)),
        (other, Callable(..)) => applied(right_at, (other, left_at)),
        (Tensor(_), _) => Help::advice(format!(
            "use a tensor on both sides, or a size: `{}.channels {symbol} {}`",
            snippet(left_at),
            snippet(right_at)
        )),
        (_, Tensor(_)) => Help::advice(format!(
            "use a tensor on both sides, or a size: `{} {symbol} {}.channels`",
            snippet(left_at),
            snippet(right_at)
        )),
        (Text(_), Text(_)) if op == BinaryOp::Add => in_one_string(left_at, right_at),
        (Text(text), _) | (_, Text(text)) if is_comparison(op) && text.parse::<f64>().is_err() => {
            Help::advice("compare strings with `==` or `!=`")
        }
        (List(_), other) if op == BinaryOp::Add && !matches!(other, List(_)) => {
            let says = |new: &str| format!("write `{} + {new}`", snippet(left_at));
            Fix::replace(right_at, format!("[{}]", right_at.text()), says).into()
        }
        (List(_), _) if op == BinaryOp::Mul => {
            Help::advice("write the elements out, such as `[3, 3]`")
        }
        (Int(_) | Real(_), _) if is_logic(op) => for_flag(left, left_at),
        (_, Int(_) | Real(_)) if is_logic(op) => for_flag(right, right_at),
        (Int(_) | Real(_), Int(_) | Real(_)) => Help::advice("write whole numbers, such as `0..4`"),
        (Int(_) | Real(_), other) if !matches!(other, Bool(_)) => for_number(other, right_at),
        (other, Int(_) | Real(_)) => for_number(other, left_at),
        _ => Help::advice("write two numbers, two tensors or two lists"),
    }
}

/// From the first of two operands to the second.
fn both<'s>(left: At<'s>, right: At<'s>) -> At<'s> {
    left.source.at(left.span.to(right.span))
}

/// A step at a place, applied to the tensor beside it, if it is one.
fn applied(step: At<'_>, (beside, at): (&Value, At<'_>)) -> Help {
    let says = |new: &str| format!("apply it to a tensor: `{new}`");
    match beside {
        Value::Tensor(_) => {
            Fix::replace(step, format!("({} -> {})", at.text(), step.text()), says).into()
        }
        _ => Help::advice(says(&format!("(x -> {})", snippet(step)))),
    }
}

/// Two strings in one.
fn in_one_string(left: At<'_>, right: At<'_>) -> Help {
    let says = |new: &str| format!("put both into one string: `{new}`");
    let part = |at| match literal(at) {
        Some(inside) => inside.to_owned(),
        None => format!("{{{}}}", at.text()),
    };
    let parts = [left, right].map(part);
    if parts.iter().any(|part| part.contains('"')) {
        return Help::advice(says("\"{a}{b}\""));
    }
    Fix::replace(both(left, right), format!("\"{}\"", parts.concat()), says).into()
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
}

fn is_logic(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::And | BinaryOp::Or)
}

/// An argument that the parameter takes, as near to the given one as may be: `whole` is where it
/// stands, `at` where its value does.
pub(super) fn for_argument(
    name: &str,
    kind: Kind,
    value: &Value,
    whole: At<'_>,
    at: At<'_>,
) -> Fix {
    let fit = match (kind, value) {
        (Kind::Count(_) | Kind::Pair(_) | Kind::Real, Value::Tensor(_)) => {
            format!("{}.channels", operand(at))
        }
        (Kind::Count(min) | Kind::Pair(min), Value::Real(r)) => rounded(*r, min, at.text()),
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
        // As Keras and ONNX write them: `VALID`, `SAME_UPPER`.
        (Kind::Padding, Value::Text(string)) if string.eq_ignore_ascii_case("valid") => {
            "\"valid\"".to_owned()
        }
        (Kind::Word(words), Value::Text(string)) => {
            if let Some(near) = nearest(string, words.iter().copied()) {
                let says = |new: &str| format!("did you mean {new}?");
                return Fix::replace(at, format!("\"{near}\""), says);
            }
            example(kind)
        }
        _ => example(kind),
    };
    Fix::write(whole, format!("{name} = {fit}"))
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

/// How to use what stands where something was to be called, by this name or expression.
///
/// A string may come from elsewhere in `file`.
pub(super) fn for_callee(value: &Value, at: At<'_>, flow: Option<&Value>, file: &Source) -> Help {
    let name = snippet(at);
    match value {
        Value::Tensor(_) if flow == Some(value) => {
            let says = |new: &str| format!("write `{new}`, which gives what flows in");
            Fix::replace(at, "identity", says).into()
        }
        Value::Tensor(_) if flow.is_some() => Help::advice(format!(
            "add the tensors, `x + {name}`, or join them: `concat(x, {name})`"
        )),
        Value::Tensor(_) => Help::advice(format!("send it into a step: `{name} -> relu`")),
        Value::Text(text) if ops::find(text).is_some() => decided(at, text),
        Value::Text(text) => {
            let operators = || ops::TABLE.iter().map(|row| row.declaration.name);
            match (foreign::callable(text, operators()), nearest(text, operators())) {
                (Some(Found::Ours(meant) | Found::Foreign(Here::Is(meant))), _) => {
                    misspelt(file, text, meant)
                }
                (Some(Found::Foreign(here)), _) => Help::advice(here.words(text)),
                (None, Some(near)) => misspelt(file, text, near),
                (None, None) => Help::advice("give a step instead of the string, such as `relu`"),
            }
        }
        Value::List(_) | Value::Tuple(_) => Help::advice(format!(
            "apply its elements in turn: `for step in {name} {{ y = y -> step }}`"
        )),
        _ => Help::advice(format!("pass it to a step, such as `conv(8, kernel = {name})`")),
    }
}

/// The operator that a string names, applied where it is the string.
fn decided(at: At<'_>, operator: &str) -> Help {
    let name = at.text();
    let says = |new: &str| format!("decide by it: `{new}`");
    let edit = format!("if {name} == \"{operator}\" {{ {operator} }} else {{ identity }}");
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { Fix::replace(at, edit, says).into() } else { Help::advice(says(&edit)) }
}

/// Another word in place of a string, where the file has it once.
fn misspelt(file: &Source, written: &str, meant: &str) -> Help {
    let says = |new: &str| format!("did you mean {new}?");
    let (written, meant) = (format!("\"{written}\""), format!("\"{meant}\""));
    let mut places = file.text().match_indices(&written);
    match (places.next(), places.next()) {
        (Some((start, _)), None) => {
            let at = file.at(Span::new(start, start + written.len()));
            Fix::replace(at, meant, says).into()
        }
        _ => Help::advice(says(&meant)),
    }
}
