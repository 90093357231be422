//! Expressions and statements.

use std::rc::Rc;

use nas_grammar::ast::{
    BinaryOp, Body, Expr, ExprKind, ForClause, Ident, Pattern, Span, Statement, StatementKind,
    TextPart, UnaryOp,
};

use super::errors::{
    AssignedInCandidate, DivisionByZero, NotAStep, NumberTooLarge, OutOfRange, TooLong,
    UnknownField, UnknownUnit, UnusedValue, WrongKind, WrongOperands, WrongPattern,
};
use super::node::Operand;
use super::scope::Assigned;
use super::{Elaborator, Eval, MAX_LENGTH, Value, number};
use crate::int::{Int, IntError};
use crate::modules::language_name;
use crate::ops::{Add, Mul, Op};

/// What flows into a step: values with the place where each was written.
pub(super) type Flow = Vec<(Value, Span)>;

impl<'p> Elaborator<'p, '_> {
    pub(super) fn expr(&mut self, expr: &'p Expr) -> Eval<Value> {
        self.nested(expr.span, |this| this.expr_kind(expr))
    }

    fn expr_kind(&mut self, expr: &'p Expr) -> Eval<Value> {
        Ok(match &expr.kind {
            ExprKind::Number(literal) => self.number(literal, expr.span),
            ExprKind::Text(parts) => self.text(parts, expr.span)?,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Name(name) => self.name(name)?,
            ExprKind::List(values) => self.values(values)?.map_or(Value::Poison, Value::List),
            ExprKind::Tuple(values) => self.values(values)?.map_or(Value::Poison, Value::Tuple),
            ExprKind::Paren(value) => self.expr(value)?,
            ExprKind::Call(callee, args) => self.call(callee, args, Vec::new(), expr.span)?,
            ExprKind::Field(value, field) => {
                let value = self.expr(value)?;
                self.field(&value, field)
            }
            ExprKind::Index(list, index) => self.index(list, index)?,
            ExprKind::Unary(op, value) => self.unary(*op, value)?,
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, expr.span)?,
            ExprKind::Pipeline(source, steps) => self.pipeline(source, steps)?,
            ExprKind::If(branches, otherwise) => match self.branch(branches, otherwise.as_ref())? {
                Some(Some(body)) => self.body(body, None)?,
                Some(None) => Value::nothing(),
                None => Value::Poison,
            },
            ExprKind::Choose(choose) => self.choose(choose, None)?,
        })
    }

    fn number(&mut self, literal: &str, span: Span) -> Value {
        number::parse(literal).unwrap_or_else(|unit| {
            let place = self.place(span, "in this number");
            let place = place.help(format!("units are {}", number::units()));
            self.report(UnknownUnit::at(place, unit))
        })
    }

    pub(super) fn text(&mut self, parts: &'p [TextPart], span: Span) -> Eval<Value> {
        let mut text = String::new();
        for part in parts {
            match part {
                TextPart::Literal(literal) => text.push_str(literal),
                TextPart::Interpolation(inner) => match self.expr(inner)? {
                    Value::Poison => return Ok(Value::Poison),
                    value @ (Value::Int(_) | Value::Real(_) | Value::Bool(_) | Value::Text(_)) => {
                        text.push_str(&value.to_string());
                    }
                    other => {
                        let place = self.place(inner.span, "interpolated here");
                        let wanted = "a number, a string, `true` or `false`";
                        return Ok(self.report(WrongKind::at(place, wanted, other.describe())));
                    }
                },
            }
            if text.len() > MAX_LENGTH {
                return Ok(self.too_long("a string", text.len(), span));
            }
        }
        Ok(Value::Text(text.into()))
    }

    pub(super) fn too_long(&mut self, what: &str, length: impl ToString, span: Span) -> Value {
        let place = self.place(span, "made here").help("make it shorter");
        self.report(TooLong::at(place, what, length.to_string(), MAX_LENGTH))
    }

    /// A name that nothing defines was reported by the pass over names.
    fn name(&mut self, name: &'p str) -> Eval<Value> {
        if let Some(value) = self.names.get(name) {
            return Ok(value.clone());
        }
        if let Some((module, constant)) = self.program.constant(self.module, name) {
            return self.in_module(module, |this| this.expr(&constant.value));
        }
        let is_callable =
            language_name(name).is_some() || self.program.block(self.module, name).is_some();
        Ok(if is_callable { Value::Callable(self.module, name.into()) } else { Value::Poison })
    }

    /// Runs in another file with no names in scope.
    pub(super) fn in_module<T>(
        &mut self,
        module: crate::modules::ModuleId,
        inner: impl FnOnce(&mut Self) -> Eval<T>,
    ) -> Eval<T> {
        let names = std::mem::take(&mut self.names);
        let outer = std::mem::replace(&mut self.module, module);
        let result = inner(self);
        self.names = names;
        self.module = outer;
        result
    }

    /// All of them, or `None` if one is poison.
    fn values(&mut self, exprs: &'p [Expr]) -> Eval<Option<Rc<[Value]>>> {
        let values = exprs.iter().map(|e| self.expr(e)).collect::<Eval<Vec<Value>>>()?;
        Ok((!values.iter().any(Value::is_poison)).then(|| values.into()))
    }

    fn field(&mut self, value: &Value, field: &Ident) -> Value {
        const FIELDS: &str = "a tensor has `channels`, `height`, `width` and `shape`";
        let shape = match value {
            Value::Poison => return Value::Poison,
            Value::Tensor(node) => self.shape_of(*node),
            _ => None,
        };
        let found = shape.and_then(|shape| match (field.name.as_str(), shape.spatial()) {
            ("channels", _) => Some(Value::small(shape.channels().into())),
            ("height", Some([height, _])) => Some(Value::small(height.into())),
            ("width", Some([_, width])) => Some(Value::small(width.into())),
            ("shape", _) => {
                Some(Value::List(shape.dims().iter().map(|&d| Value::small(d.into())).collect()))
            }
            _ => None,
        });
        found.unwrap_or_else(|| {
            let described = match shape {
                Some(shape) => format!("a tensor {shape}"),
                None => value.describe(),
            };
            let place = self.place(field.span, "no such field").help(FIELDS);
            self.report(UnknownField::at(place, described, field.name.clone()))
        })
    }

    fn index(&mut self, list: &'p Expr, index: &'p Expr) -> Eval<Value> {
        let (values, position) = (self.expr(list)?, self.expr(index)?);
        let (Value::List(items) | Value::Tuple(items)) = &values else {
            return Ok(self.wrong_kind(&values, "a list", list.span));
        };
        let Value::Int(n) = &position else {
            return Ok(self.wrong_kind(&position, "a whole number", index.span));
        };
        let found = n.to_i64().and_then(|n| usize::try_from(n).ok()).and_then(|n| items.get(n));
        Ok(found.cloned().unwrap_or_else(|| {
            let place = self.place(index.span, format!("this is {n}"));
            let last = items.len().saturating_sub(1);
            let place = place.help(format!("indices go from 0 to {last}"));
            self.report(OutOfRange::at(place, n.to_string(), items.len()))
        }))
    }

    /// Reports a value of the wrong kind, unless it is poison.
    pub(super) fn wrong_kind(&mut self, value: &Value, expected: &str, span: Span) -> Value {
        if value.is_poison() {
            return Value::Poison;
        }
        let place = self.place(span, format!("this is {}", value.describe()));
        self.report(WrongKind::at(place, expected, value.describe()))
    }

    fn unary(&mut self, op: UnaryOp, operand: &'p Expr) -> Eval<Value> {
        let value = self.expr(operand)?;
        Ok(match (op, &value) {
            (UnaryOp::Neg, Value::Int(n)) => {
                // The negation of a number within limits is within limits.
                Int::Small(0).sub(n).map_or(Value::Poison, Value::Int)
            }
            (UnaryOp::Neg, Value::Real(r)) => Value::Real(-r),
            (UnaryOp::Not, Value::Bool(b)) => Value::Bool(!b),
            (UnaryOp::Neg, other) => self.wrong_kind(other, "a number", operand.span),
            (UnaryOp::Not, other) => self.wrong_kind(other, "`true` or `false`", operand.span),
        })
    }

    fn binary(&mut self, op: BinaryOp, left: &'p Expr, right: &'p Expr, span: Span) -> Eval<Value> {
        let a = self.expr(left)?;
        // `and` and `or` look at the right side only if the left leaves it open.
        if let (BinaryOp::And | BinaryOp::Or, Value::Bool(known)) = (op, &a)
            && *known == (op == BinaryOp::Or)
        {
            return Ok(a);
        }
        let b = self.expr(right)?;
        if a.is_poison() || b.is_poison() {
            return Ok(Value::Poison);
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
                return self.op(tensor_op, &operands, span);
            }
        }
        Ok(self.static_binary(op, &a, &b, (left.span, right.span), span))
    }

    fn static_binary(
        &mut self,
        op: BinaryOp,
        a: &Value,
        b: &Value,
        sides: (Span, Span),
        span: Span,
    ) -> Value {
        let result = match (op, a, b) {
            (BinaryOp::Eq, _, _) => Ok(Some(Value::Bool(a == b))),
            (BinaryOp::Ne, _, _) => Ok(Some(Value::Bool(a != b))),
            (BinaryOp::And | BinaryOp::Or, Value::Bool(_), Value::Bool(last)) => {
                Ok(Some(Value::Bool(*last)))
            }
            (BinaryOp::Range, Value::Int(from), Value::Int(to)) => {
                return self.range(from, to, span);
            }
            (BinaryOp::Add, Value::List(x), Value::List(y)) => {
                if x.len() + y.len() > MAX_LENGTH {
                    return self.too_long("a list", x.len() + y.len(), span);
                }
                Ok(Some(Value::List(x.iter().chain(y.iter()).cloned().collect())))
            }
            (_, Value::Int(x), Value::Int(y)) => integer(op, x, y),
            _ => Ok(a.number().zip(b.number()).and_then(|(x, y)| real(op, x, y))),
        };
        match result {
            Ok(Some(value)) => value,
            Ok(None) => {
                let place = self.place(sides.0, a.describe()).label(sides.1, b.describe());
                self.report(WrongOperands::at(place, op.symbol(), a.describe(), b.describe()))
            }
            Err(IntError::TooLarge) => {
                let place = self.place(span, "computed here");
                self.report(NumberTooLarge::at(place, op.symbol()))
            }
            Err(IntError::DivisionByZero) => {
                let place = self.place(sides.1, "this is 0");
                self.report(DivisionByZero::at(place))
            }
        }
    }

    fn range(&mut self, from: &Int, to: &Int, span: Span) -> Value {
        let length = to.sub(from).unwrap_or(Int::Small(i64::MAX));
        if length > Int::Small(MAX_LENGTH as i64) {
            return self.too_long("a range", length, span);
        }
        let (Some(from), Some(to)) = (from.to_i64(), to.to_i64()) else {
            return self.too_long("a range", length, span);
        };
        Value::List((from..to).map(Value::small).collect())
    }

    fn pipeline(&mut self, source: &'p Expr, steps: &'p [Expr]) -> Eval<Value> {
        let mut flow = self.flow(source)?;
        let mut value = Value::Poison;
        for step in steps {
            value = self.step_expr(step, flow)?;
            let span = step.span;
            flow = match &value {
                Value::Tuple(values) => values.iter().map(|v| (v.clone(), span)).collect(),
                other => vec![(other.clone(), span)],
            };
        }
        Ok(value)
    }

    /// What an expression sends into a pipeline: each element of a tuple, or one value.
    fn flow(&mut self, source: &'p Expr) -> Eval<Flow> {
        if let ExprKind::Tuple(parts) = &source.kind {
            return parts.iter().map(|part| Ok((self.expr(part)?, part.span))).collect();
        }
        Ok(match self.expr(source)? {
            Value::Tuple(values) => values.iter().map(|v| (v.clone(), source.span)).collect(),
            value => vec![(value, source.span)],
        })
    }

    /// Applies a step to what flows into it.
    pub(super) fn step_expr(&mut self, step: &'p Expr, flow: Flow) -> Eval<Value> {
        self.nested(step.span, |this| match &step.kind {
            ExprKind::Name(name) => this.call_name(name, step.span, &[], flow, step.span),
            ExprKind::Call(callee, args) => this.call(callee, args, flow, step.span),
            ExprKind::Paren(inner) => this.step_expr(inner, flow),
            ExprKind::Pipeline(first, rest) => {
                let mut value = this.step_expr(first, flow)?;
                for next in rest {
                    value = this.step_expr(next, vec![(value, first.span)])?;
                }
                Ok(value)
            }
            ExprKind::If(branches, otherwise) => match this.branch(branches, otherwise.as_ref())? {
                Some(Some(body)) => this.body(body, Some(flow)),
                Some(None) => Ok(this.not_a_step("an `if` without `else`", step.span)),
                None => Ok(Value::Poison),
            },
            ExprKind::Choose(choose) => this.choose(choose, Some(flow)),
            _ => Ok(this.not_a_step("this expression", step.span)),
        })
    }

    fn not_a_step(&mut self, what: &str, span: Span) -> Value {
        let place = self.place(span, "not a step");
        let place = place.help("a step is a block, an operator, `choose`, or an `if` between them; put an expression that holds a pipeline into parentheses");
        self.report(NotAStep::at(place, what))
    }

    /// The branch that the conditions take: `Some(None)` if none is, `None` if that is unknown.
    #[allow(clippy::type_complexity, reason = "three outcomes, used by two callers next to it")]
    fn branch(
        &mut self,
        branches: &'p [(Expr, Body)],
        otherwise: Option<&'p Body>,
    ) -> Eval<Option<Option<&'p Body>>> {
        for (condition, body) in branches {
            match self.condition(condition)? {
                Some(true) => return Ok(Some(Some(body))),
                Some(false) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(otherwise))
    }

    /// `None` if the condition is unknown, which was reported.
    pub(super) fn condition(&mut self, condition: &'p Expr) -> Eval<Option<bool>> {
        Ok(match self.expr(condition)? {
            Value::Bool(value) => Some(value),
            other => {
                self.wrong_kind(&other, "`true` or `false`", condition.span);
                None
            }
        })
    }

    /// The statements of a body; the last one, if it is an expression, is the value. With a
    /// flow, the last one is a step that it goes into.
    pub(super) fn body(&mut self, body: &'p Body, flow: Option<Flow>) -> Eval<Value> {
        let mark = self.names.open();
        let mut value = Value::nothing();
        let mut flow = flow;
        let last = body.statements.len().saturating_sub(1);
        for (index, statement) in body.statements.iter().enumerate() {
            let is_value = index == last;
            value = match (&statement.kind, is_value) {
                (StatementKind::Expr(step), true) => match flow.take() {
                    Some(flow) => self.step_expr(step, flow)?,
                    None => self.expr(step)?,
                },
                _ => self.statement(statement)?,
            };
        }
        self.names.close(mark);
        Ok(match flow {
            Some(_) => self.not_a_step("a body without a value", body.span),
            None => value,
        })
    }

    /// One statement; only an expression in last place has a value, which `body` sees to.
    pub(super) fn statement(&mut self, statement: &'p Statement) -> Eval<Value> {
        match &statement.kind {
            StatementKind::Let(pattern, value) | StatementKind::Var(pattern, value) => {
                let bound = self.expr(value)?;
                self.bind(pattern, bound, value.span);
            }
            StatementKind::Assign(name, value) => {
                let assigned = self.expr(value)?;
                self.assign(name, assigned);
            }
            StatementKind::For(clauses, body) => {
                self.for_each(clauses, &mut |this| this.body(body, None).map(|_| ()))?;
            }
            StatementKind::Expr(value) => {
                let dropped = self.expr(value)?;
                if !matches!(&dropped, Value::Poison) && dropped != Value::nothing() {
                    let place = self.place(value.span, format!("this is {}", dropped.describe()));
                    let place = place.help("bind it with `let`, or remove it");
                    self.report(UnusedValue::at(place));
                }
            }
            StatementKind::Input(..) | StatementKind::Task(..) | StatementKind::Output(..) => {
                self.port(statement)?;
            }
        }
        Ok(Value::nothing())
    }

    fn assign(&mut self, name: &'p Ident, value: Value) {
        if self.names.assign(&name.name, value) == Assigned::Outside {
            let place = self.place(name.span, "assigned here").help(
                "only the chosen candidate exists, so the outside cannot see what it assigns; give the value back as the candidate's value",
            );
            self.report(AssignedInCandidate::at(place, name.name.clone()));
        }
    }

    pub(super) fn bind(&mut self, pattern: &'p Pattern, value: Value, span: Span) {
        match pattern {
            Pattern::Name(name) => self.names.bind(&name.name, value),
            Pattern::Tuple(parts, pattern_span) => {
                let elements = match &value {
                    Value::Tuple(values) | Value::List(values) if values.len() == parts.len() => {
                        values.to_vec()
                    }
                    other => {
                        if !other.is_poison() {
                            let described = other.describe();
                            let place = self
                                .place(*pattern_span, format!("{} names", parts.len()))
                                .label(span, described.clone());
                            self.report(WrongPattern::at(place, described, parts.len()));
                        }
                        vec![Value::Poison; parts.len()]
                    }
                };
                for (part, element) in parts.iter().zip(elements) {
                    self.bind(part, element, span);
                }
            }
        }
    }

    /// Runs `inner` for every combination of the clauses' elements, the first clause outermost.
    pub(super) fn for_each(
        &mut self,
        clauses: &'p [ForClause],
        inner: &mut dyn FnMut(&mut Self) -> Eval<()>,
    ) -> Eval<()> {
        let Some((clause, rest)) = clauses.split_first() else { return inner(self) };
        let list = self.expr(&clause.list)?;
        let (Value::List(elements) | Value::Tuple(elements)) = &list else {
            self.wrong_kind(&list, "a list", clause.list.span);
            return Ok(());
        };
        for element in elements.iter() {
            self.step(clause.list.span)?;
            let mark = self.names.open();
            self.bind(&clause.pattern, element.clone(), clause.list.span);
            self.for_each(rest, inner)?;
            self.names.close(mark);
        }
        Ok(())
    }
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
        BinaryOp::Or | BinaryOp::And | BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Range => {
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
        BinaryOp::Or | BinaryOp::And | BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Range => {
            return None;
        }
    })
}
