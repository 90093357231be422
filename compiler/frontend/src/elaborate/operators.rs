//! Operators between values: of tensors, of numbers whole and real, of lists.

use nas_diagnostics::{Fix, Help, Reported, fault};
use nas_grammar::Source;
use nas_grammar::ast::{BinaryOp, Expr, Span, UnaryOp};
use nas_ir::ops::{Add, Mul};
use nas_ir::{Op, Varied};

use super::elaborator::Elaborator;
use super::errors::{DivisionByZero, NearElsewhere, NumberTooLarge, WrongOperands};
use super::help::{self, Wanted};
use super::limits::{Eval, MAX_LENGTH};
use super::node::Operand;
use super::value::Value;
use crate::int::{Int, IntError, MAX_BITS};

impl<'p> Elaborator<'p, '_> {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: &'p Expr) -> Eval<Value> {
        let value = self.expr(operand)?;
        self.lift(&[value], "unary", operand.span, &mut |this, values| {
            let [value] = values else { fault("an operator of one value without it") };
            Ok(match (op, value) {
                (UnaryOp::Neg, Value::Int(n)) => {
                    let negated = Int::Small(0).sub(n);
                    let negated = negated.unwrap_or_else(|_| {
                        fault("the negation of a number within limits is within limits")
                    });
                    Value::Int(negated)
                }
                (UnaryOp::Neg, Value::Real(r)) => Value::Real(-r),
                (UnaryOp::Not, Value::Bool(b)) => Value::Bool(!b),
                (UnaryOp::Neg, other) => {
                    this.wrong_kind(other, Wanted::Number, operand.span).into()
                }
                (UnaryOp::Not, other) => this.wrong_kind(other, Wanted::Flag, operand.span).into(),
            })
        })
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: &'p Expr,
        right: &'p Expr,
        span: Span,
    ) -> Eval<Value> {
        let a = self.expr(left)?;
        // `and` and `or` look at the right side only if the left leaves it open.
        if let (BinaryOp::And | BinaryOp::Or, Value::Bool(known)) = (op, &a)
            && *known == (op == BinaryOp::Or)
        {
            return Ok(a);
        }
        let sides = (left.span, right.span);
        if let (BinaryOp::And | BinaryOp::Or, Value::Chosen(table)) = (op, &a) {
            return self.by_case(table.selector(), span, &mut |this, case| {
                let a = table.values().get(case as usize).cloned();
                let a = a.unwrap_or_else(|| fault("a case without its value"));
                if a == Value::Bool(op == BinaryOp::Or) {
                    return Ok(a);
                }
                let b = this.expr(right)?;
                this.lift(&[b], "operator", span, &mut |this, b| {
                    let [b] = b else { fault("an operator without its right side") };
                    this.static_binary(op, &a, b, sides, span)
                })
            });
        }
        let b = self.expr(right)?;
        if let Some(reported) = a.reported().or(b.reported()) {
            return Ok(reported.into());
        }
        if let (Value::Tensor(x), Value::Tensor(y)) = (&a, &b) {
            let tensor_op = match op {
                BinaryOp::Add => Some(Op::Add(Add)),
                BinaryOp::Mul => Some(Op::Mul(Mul)),
                _ => None,
            };
            if let Some(tensor_op) = tensor_op {
                let operands =
                    [(*x, left), (*y, right)].map(|(node, side)| Operand { node, span: side.span });
                return self.op(Varied::Fixed(tensor_op), &operands, span.into());
            }
        }
        // Lists are put together whatever their elements depend on.
        if let (BinaryOp::Add, Value::List(_), Value::List(_)) = (op, &a, &b) {
            return self.static_binary(op, &a, &b, sides, span);
        }
        self.lift(&[a, b], "operator", span, &mut |this, values| match values {
            [a, b] => this.static_binary(op, a, b, sides, span),
            _ => fault("an operator without its two sides"),
        })
    }

    fn static_binary(
        &mut self,
        op: BinaryOp,
        a: &Value,
        b: &Value,
        sides: (Span, Span),
        span: Span,
    ) -> Eval<Value> {
        self.charge(a.size().saturating_add(b.size()), span)?;
        let result = match (op, a, b) {
            (BinaryOp::Near, _, _) => {
                let place = self.place(span, "no claim about a published figure");
                let source = self.source();
                let operator = source.at(between(&source, sides));
                let says = |new: &str| format!("compare with `{new}`, or with `<=` and `>=`");
                let place = place.fix(Fix::replace(operator, "==", says));
                return Ok(self.report(NearElsewhere::at(place)).into());
            }
            (BinaryOp::Eq, _, _) => Ok(Some(Value::Bool(a == b))),
            (BinaryOp::Ne, _, _) => Ok(Some(Value::Bool(a != b))),
            (BinaryOp::And, Value::Bool(x), Value::Bool(y)) => Ok(Some(Value::Bool(*x && *y))),
            (BinaryOp::Or, Value::Bool(x), Value::Bool(y)) => Ok(Some(Value::Bool(*x || *y))),
            (BinaryOp::Range, Value::Int(from), Value::Int(to)) => {
                return self.range(from, to, span);
            }
            (BinaryOp::Add, Value::List(x), Value::List(y)) => {
                let both = x.iter().chain(y.iter()).cloned().collect();
                return self.sequence(Value::List, both, span);
            }
            (_, Value::Int(x), Value::Int(y)) => integer(op, x, y),
            _ => Ok(a.number().zip(b.number()).and_then(|(x, y)| real(op, x, y))),
        };
        Ok(match result {
            Ok(Some(value)) => value,
            Ok(None) => {
                let source = self.source();
                let (left, right) = (source.at(sides.0), source.at(sides.1));
                let place = self.place(sides.0, a.describe()).label(sides.1, b.describe());
                let place = place.help(help::for_operands(op, (a, left), (b, right)));
                self.report(WrongOperands::at(place, op.symbol(), a.describe(), b.describe()))
                    .into()
            }
            Err(IntError::TooLarge) => {
                let smaller = if op == BinaryOp::Pow { "exponent" } else { "number" };
                let place = self.place(span, "computed here");
                let place = place.advice(format!(
                    "write a smaller {smaller}: a result has at most {MAX_BITS} bits"
                ));
                self.report(NumberTooLarge::at(place, op.symbol())).into()
            }
            Err(IntError::DivisionByZero) => self.division_by_zero(op, sides).into(),
        })
    }

    fn division_by_zero(&mut self, op: BinaryOp, (left, right): (Span, Span)) -> Reported {
        let source = self.source();
        let (whole, dividend, divisor) =
            (source.at(left.to(right)), source.at(left).text(), source.at(right).text());
        let help = match divisor {
            "0" => Help::advice("write a divisor other than 0"),
            _ => Fix::write(whole, format!("{dividend} {} max(1, {divisor})", op.symbol())).into(),
        };
        let place = self.place(right, "this is 0").help(help);
        self.report(DivisionByZero::at(place))
    }

    fn range(&mut self, from: &Int, to: &Int, span: Span) -> Eval<Value> {
        let length = to.sub(from).unwrap_or(Int::Small(i64::MAX));
        if length > Int::Small(MAX_LENGTH as i64) {
            return Ok(self.too_long("a range", length, span).into());
        }
        let (Some(from), Some(to)) = (from.to_i64(), to.to_i64()) else {
            return Ok(self.too_long("a range", length, span).into());
        };
        self.sequence(Value::List, (from..to).map(Value::small).collect(), span)
    }
}

/// Where the operator stands between two operands.
pub(crate) fn between(source: &Source, (left, right): (Span, Span)) -> Span {
    let gap = source.at(Span { start: left.end, end: right.start });
    let text = gap.text();
    // A parenthesis around an operand is part of it.
    let start = gap.span.range().start + text.len() - text.trim_start().len();
    Span::new(start, start + text.trim().len())
}

/// Whether a comparison holds; `None` if the values do not compare.
pub(crate) fn compare(op: BinaryOp, a: &Value, b: &Value) -> Option<bool> {
    let result = match (op, a, b) {
        (BinaryOp::Eq, _, _) => return Some(a == b),
        (BinaryOp::Ne, _, _) => return Some(a != b),
        (_, Value::Int(x), Value::Int(y)) => integer(op, x, y).ok()?,
        _ => real(op, a.number()?, b.number()?),
    };
    if let Some(Value::Bool(holds)) = result { Some(holds) } else { None }
}

/// An operator between whole numbers; `None` if it takes none.
fn integer(op: BinaryOp, a: &Int, b: &Int) -> Result<Option<Value>, IntError> {
    Ok(Some(match op {
        BinaryOp::Add => Value::Int(a.add(b)?),
        BinaryOp::Sub => Value::Int(a.sub(b)?),
        BinaryOp::Mul => Value::Int(a.mul(b)?),
        BinaryOp::Div => Value::Int(a.div(b)?),
        BinaryOp::Rem => Value::Int(a.rem(b)?),
        BinaryOp::Pow if *b < Int::Small(0) => Value::Real(a.to_f64().powf(b.to_f64())),
        BinaryOp::Pow => Value::Int(a.pow(b)?),
        BinaryOp::Lt => Value::Bool(a < b),
        BinaryOp::Le => Value::Bool(a <= b),
        BinaryOp::Gt => Value::Bool(a > b),
        BinaryOp::Ge => Value::Bool(a >= b),
        BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Eq
        | BinaryOp::Near
        | BinaryOp::Ne
        | BinaryOp::Range => {
            return Ok(None);
        }
    }))
}

/// An operator between numbers of which one is not whole; `None` if it takes none.
fn real(op: BinaryOp, a: f64, b: f64) -> Option<Value> {
    Some(match op {
        BinaryOp::Add => Value::Real(a + b),
        BinaryOp::Sub => Value::Real(a - b),
        BinaryOp::Mul => Value::Real(a * b),
        BinaryOp::Div => Value::Real(a / b),
        BinaryOp::Rem => Value::Real(a % b),
        BinaryOp::Pow => Value::Real(a.powf(b)),
        BinaryOp::Lt => Value::Bool(a < b),
        BinaryOp::Le => Value::Bool(a <= b),
        BinaryOp::Gt => Value::Bool(a > b),
        BinaryOp::Ge => Value::Bool(a >= b),
        BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Eq
        | BinaryOp::Near
        | BinaryOp::Ne
        | BinaryOp::Range => {
            return None;
        }
    })
}
