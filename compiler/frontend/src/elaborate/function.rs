//! Functions of the language: `len`, `loose_ends`, `min`, `max`, `sum`, `round_to`.

use nas_diagnostics::{Fix, Help, Reported};
use nas_grammar::ast::Span;
use nas_ir::ops::Add;
use nas_ir::{Op, Varied};

use super::elaborator::Elaborator;
use super::errors::{MissingArgument, NumberTooLarge, TooManyArguments};
use super::help::Wanted;
use super::limits::Eval;
use super::node::Operand;
use super::parameters::Given;
use super::value::{Value, tensors};
use crate::int::Int;

impl<'p> Elaborator<'p, '_> {
    pub(super) fn function(
        &mut self,
        name: &'static str,
        given: &[Given<'p>],
        span: Span,
    ) -> Eval<Value> {
        // A list has its length whatever its elements depend on.
        let is_list = matches!(given, [Given { value: Value::List(_), .. }]);
        let values: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
        if name == "len" && is_list {
            return self.function_of(name, given, span);
        }
        self.lift(&values, name, span, &mut |this, picked| {
            let given = given.iter().zip(picked);
            let given = given.map(|(g, value)| Given { value: value.clone(), ..g.clone() });
            this.function_of(name, &given.collect::<Vec<_>>(), span)
        })
    }

    fn function_of(&mut self, name: &'static str, given: &[Given<'p>], span: Span) -> Eval<Value> {
        match (name, given) {
            ("min" | "max", _) if !given.is_empty() => Ok(self.extreme(name == "max", given)),
            ("len", [list]) => Ok(match &list.value {
                Value::List(v) | Value::Tuple(v) => Value::small(v.len() as i64),
                other => self.wrong_kind(other, Wanted::List, list.span).into(),
            }),
            ("sum", [list]) => self.sum(list, span),
            ("loose_ends", [states]) => self.loose_ends(states, span),
            ("round_to", [value, divisor]) => Ok(self.round_to(value, divisor)),
            _ => Ok(self.wrong_arity(name, given, span).into()),
        }
    }

    fn wrong_arity(&mut self, name: &str, given: &[Given<'p>], span: Span) -> Reported {
        let source = self.source();
        let takes = if name == "round_to" { 2 } else { 1 };
        let example = match name {
            "round_to" => "round_to(width, 8)".to_owned(),
            "loose_ends" => "loose_ends([x, y])".to_owned(),
            "len" | "sum" => format!("{name}([3, 5])"),
            _ => format!("{name}(3, 5)"),
        };
        let help = match given {
            [first, .., last] if matches!(name, "len" | "sum" | "loose_ends") => {
                let elements = source.at(first.at.to(last.at));
                let says = |new: &str| format!("write `{name}({new})`");
                Fix::replace(elements, format!("[{}]", elements.text()), says).into()
            }
            _ => Help::advice(format!("write `{example}`")),
        };
        let given = given.len();
        let place = self.place(span, "called here").help(help);
        if given < takes {
            return self.report(MissingArgument::at(place, name, "more arguments"));
        }
        let takes = format!("{takes} argument{}", if takes == 1 { "" } else { "s" });
        self.report(TooManyArguments::at(place, name, takes, given))
    }

    fn extreme(&mut self, largest: bool, given: &[Given<'p>]) -> Value {
        let (listed, wanted) = match given {
            [Given { value: Value::List(values), span, .. }] => {
                (values.iter().map(|v| (v.clone(), *span)).collect(), Wanted::Compared)
            }
            _ => {
                let values = given.iter().map(|g| (g.value.clone(), g.span));
                (values.collect::<Vec<_>>(), Wanted::Number)
            }
        };
        let mut best: Option<(Value, f64)> = None;
        for (value, span) in listed {
            let Some(number) = value.number() else {
                return self.wrong_kind(&value, wanted, span).into();
            };
            let is_better = |other: f64| if largest { number > other } else { number < other };
            if best.as_ref().is_none_or(|(_, other)| is_better(*other)) {
                best = Some((value, number));
            }
        }
        // The largest of no values is none of them.
        match best {
            Some((value, _)) => value,
            None => {
                let at = given.first().map_or(Span::default(), |given| given.span);
                self.wrong_kind(&Value::List(Vec::new().into()), wanted, at).into()
            }
        }
    }

    fn sum(&mut self, list: &Given<'p>, span: Span) -> Eval<Value> {
        if let Some(nodes) = tensors(&list.value) {
            if let [only] = nodes.as_slice() {
                return Ok(Value::Tensor(*only));
            }
            let operands: Vec<Operand> =
                nodes.into_iter().map(|node| Operand { node, span: list.span }).collect();
            return self.op(Varied::Fixed(Op::Add(Add)), &operands, span.into());
        }
        let (Value::List(values) | Value::Tuple(values)) = &list.value else {
            return Ok(self.wrong_kind(&list.value, Wanted::List, list.span).into());
        };
        let mut total = Value::small(0);
        for value in values.iter() {
            total = match (&total, value, value.number()) {
                (Value::Int(a), Value::Int(b), _) => match a.add(b) {
                    Ok(sum) => Value::Int(sum),
                    Err(_) => {
                        let place =
                            self.place(list.span, "summed here").advice("sum smaller numbers");
                        return Ok(self.report(NumberTooLarge::at(place, "sum")).into());
                    }
                },
                (_, _, Some(number)) => Value::Real(total.number().unwrap_or(0.0) + number),
                _ => return Ok(self.wrong_kind(value, Wanted::Summand, list.span).into()),
            };
        }
        Ok(total)
    }

    /// The nearest multiple of the divisor, at least the divisor, and never below 90 % of the
    /// value (`make_divisible` of the MobileNet reference code).
    fn round_to(&mut self, value: &Given<'p>, divisor: &Given<'p>) -> Value {
        let Some(number) = value.value.number() else {
            return self.wrong_kind(&value.value, Wanted::Number, value.span).into();
        };
        let unit = match &divisor.value {
            Value::Int(Int::Small(n)) if *n > 0 => *n as f64,
            other => return self.wrong_kind(other, Wanted::Positive, divisor.span).into(),
        };
        let rounded = ((number + unit / 2.0) / unit).floor().max(1.0) * unit;
        let result = if rounded < 0.9 * number { rounded + unit } else { rounded };
        if result > 9e15 {
            let place = self.place(value.span, "rounded here").advice("round a smaller number");
            return self.report(NumberTooLarge::at(place, "round_to")).into();
        }
        Value::small(result as i64)
    }
}
