//! Expressions and statements.

use std::rc::Rc;

use nas_diagnostics::{Fix, Help, Reported, fault, nearest};
use nas_grammar::ast::{
    Body, Element, Expr, ExprKind, ForClause, Ident, Pattern, Span, Statement, StatementKind,
    TextPart,
};
use nas_ir::{Precision, Shape, Varied, varied};

use super::elaborator::Elaborator;
use super::errors::{
    AssignedInCandidate, NotAStep, NumberTooLarge, OutOfRange, RepeatsNothing, TooLong,
    UnknownField, UnknownUnit, UnusedValue, WrongPattern,
};
use super::help::{Wanted, without_index};
use super::limits::{Eval, MAX_LENGTH, Sound};
use super::number;
use super::scope::Assigned;
use super::value::Flow;
use super::value::{BYTES, Value, tensors};
use crate::int::{Int, MAX_DIGITS};
use crate::modules::language_name;

/// What a pass of a loop costs, which opens a scope, binds and closes it again.
const PASS: usize = 4;

impl<'p> Elaborator<'p, '_> {
    pub(super) fn expr(&mut self, expr: &'p Expr) -> Eval<Value> {
        self.nested(expr.span, |this| this.expr_kind(expr))
    }

    fn expr_kind(&mut self, expr: &'p Expr) -> Eval<Value> {
        Ok(match &expr.kind {
            ExprKind::Number(literal) => self.number(literal, expr.span)?,
            ExprKind::Text(parts) => self.text(parts, expr.span)?,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Name(name) => self.name(name, expr.span)?,
            ExprKind::List(elements) => self.elements(elements, expr.span)?,
            ExprKind::Tuple(values) => self.values(values, expr.span)?,
            ExprKind::Paren(value) => self.expr(value)?,
            ExprKind::Call(callee, args) => self.call(callee, args, Vec::new(), expr.span)?,
            ExprKind::Field(value, field) => {
                let value = self.expr(value)?;
                self.field(&value, field)
            }
            ExprKind::Index(list, index) => self.index(list, index, expr.span)?,
            ExprKind::Unary(op, value) => self.unary(*op, value)?,
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, expr.span)?,
            ExprKind::Pipeline(source, steps) => self.pipeline(source, steps)?,
            ExprKind::If(branches, otherwise) => {
                self.if_else(branches, otherwise.as_ref(), None, expr.span)?
            }
            ExprKind::Choose(choose) => self.choose(choose, expr.span, None)?,
            ExprKind::Slice(list, from, to) => {
                self.slice(list, (from.as_deref(), to.as_deref()), expr.span)?
            }
            ExprKind::Repeat(repeat) => {
                let place = self
                    .place(repeat.head, "nothing flows into this")
                    .advice("send a tensor into it: `x -> repeat … { … }`");
                self.report(RepeatsNothing::at(place)).into()
            }
        })
    }

    fn number(&mut self, literal: &str, span: Span) -> Eval<Value> {
        self.charge(literal.len() / BYTES, span)?;
        if literal.len() > MAX_DIGITS {
            let place = self.place(span, "this number").advice("write a smaller number");
            return Ok(self.report(NumberTooLarge::at(place, "number")).into());
        }
        Ok(number::parse(literal).unwrap_or_else(|unit| {
            let place = self.place(span, "in this number");
            let place = place.advice(format!("units are {}", number::units()));
            self.report(UnknownUnit::at(place, unit)).into()
        }))
    }

    pub(super) fn text(&mut self, parts: &'p [TextPart], span: Span) -> Eval<Value> {
        let mut values = Vec::new();
        for part in parts {
            if let TextPart::Interpolation(inner) = part {
                values.push(self.expr(inner)?);
            }
        }
        self.lift(&values, "text", span, &mut |this, values| this.text_of(parts, values, span))
    }

    fn text_of(&mut self, parts: &'p [TextPart], values: &[Value], span: Span) -> Eval<Value> {
        let mut text = String::new();
        let mut values = values.iter();
        for part in parts {
            match part {
                TextPart::Literal(literal) => text.push_str(literal),
                TextPart::Interpolation(inner) => match values.next() {
                    None => fault("a string without the values in it"),
                    Some(
                        value @ (Value::Int(_) | Value::Real(_) | Value::Bool(_) | Value::Text(_)),
                    ) => {
                        text.push_str(&value.to_string());
                    }
                    Some(other) => {
                        return Ok(self.wrong_kind(other, Wanted::Shown, inner.span).into());
                    }
                },
            }
            self.charge(text.len() / BYTES, span)?;
            if text.len() > MAX_LENGTH {
                return Ok(self.too_long("a string", text.len(), span).into());
            }
        }
        Ok(Value::Text(text.into()))
    }

    pub(super) fn too_long(&mut self, what: &str, length: impl ToString, span: Span) -> Reported {
        let place = self.place(span, "made here").advice("make it shorter");
        self.report(TooLong::at(place, what, length.to_string(), MAX_LENGTH))
    }

    fn name(&mut self, name: &'p str, span: Span) -> Eval<Value> {
        if let Some(value) = self.names.get(name) {
            return Ok(value);
        }
        if self.words.is_some_and(|words| words.contains(name)) {
            return Ok(Value::Text(name.into()));
        }
        if let Some((module, constant)) = self.program.constant(self.module, name) {
            return self.in_module(module, |this| this.expr(&constant.value));
        }
        if Precision::named(name).is_some() {
            return Ok(Value::Text(name.into()));
        }
        let is_callable =
            language_name(name).is_some() || self.program.block(self.module, name).is_some();
        Ok(match self.words {
            _ if is_callable => Value::Callable(self.module, name.into()),
            Some(_) => Value::Text(name.into()),
            None => self.unknown_name(name, span).into(),
        })
    }

    /// Runs in another file with no names in scope.
    pub(super) fn in_module<T>(
        &mut self,
        module: crate::modules::ModuleId,
        inner: impl FnOnce(&mut Self) -> Eval<T>,
    ) -> Eval<T> {
        let mark = self.names.open();
        let callers = self.names.enter_block();
        let outer = std::mem::replace(&mut self.module, module);
        let result = inner(self);
        self.close(mark);
        self.names.leave(callers);
        self.module = outer;
        result
    }

    /// All of them as a tuple, or poison if one is poison.
    fn values(&mut self, exprs: &'p [Expr], span: Span) -> Eval<Value> {
        let values = exprs.iter().map(|e| self.expr(e)).collect::<Eval<Vec<Value>>>()?;
        if let Some(reported) = values.iter().find_map(Value::reported) {
            return Ok(reported.into());
        }
        self.sequence(Value::Tuple, values, span)
    }

    /// A list, or poison if an element is poison.
    fn elements(&mut self, elements: &'p [Element], span: Span) -> Eval<Value> {
        let mut values = Vec::new();
        for element in elements {
            match element {
                Element::Value(value) => values.push(self.expr(value)?),
                Element::For(clauses, body, _) => {
                    let done = self.for_each(clauses, &mut |this| {
                        let value = this.body(body, None)?;
                        // One more tells that there are too many.
                        values.extend((values.len() <= MAX_LENGTH).then_some(value));
                        Ok(())
                    })?;
                    if let Err(reported) = done {
                        return Ok(reported.into());
                    }
                }
            }
        }
        if let Some(reported) = values.iter().find_map(Value::reported) {
            return Ok(reported.into());
        }
        self.sequence(Value::List, values, span)
    }

    fn field(&mut self, value: &Value, field: &Ident) -> Value {
        let shape = match value {
            Value::Poison(reported) => return (*reported).into(),
            Value::Tensor(node) => self.shape_of(*node).cloned(),
            _ => None,
        };
        let Some(shape) = shape else {
            return self.unknown_field(value.describe(), field).into();
        };
        let mut found = Vec::new();
        for shape in shape.values() {
            match field_of(shape, &field.name) {
                Some(value) => found.push(value),
                None => return self.unknown_field(format!("a tensor {shape}"), field).into(),
            }
        }
        let selector = shape.index(&mut self.space.selectors);
        match varied(&mut self.space.selectors, selector, &found, Value::is_identical) {
            Some(Varied::Fixed(value)) => value,
            Some(Varied::By(table)) => Value::Chosen(Rc::new(table)),
            None => fault("a shape without a case"),
        }
    }

    fn unknown_field(&mut self, of: String, field: &Ident) -> Reported {
        const FIELDS: [&str; 4] = ["channels", "height", "width", "shape"];
        let source = self.source();
        let help = match nearest(&field.name, FIELDS) {
            Some(near) => Fix::meant(source.at(field.span), near).into(),
            None => Help::advice("a tensor has `channels`, `height`, `width` and `shape`"),
        };
        let place = self.place(field.span, "no such field").help(help);
        self.report(UnknownField::at(place, of, field.name.clone()))
    }

    fn index(&mut self, list: &'p Expr, index: &'p Expr, whole: Span) -> Eval<Value> {
        let (values, position) = (self.expr(list)?, self.expr(index)?);
        // A list that depends on decisions as a whole, or a position that does; elements may.
        let (fixed, varying) = match values {
            Value::Chosen(_) => (None, vec![values, position]),
            list => (Some(list), vec![position]),
        };
        self.lift(&varying, "index", index.span, &mut |this, picked| {
            let (values, position) = match (&fixed, picked) {
                (Some(values), [position]) | (None, [values, position]) => (values, position),
                _ => fault("an index without its list"),
            };
            Ok(this.element(values, position, (list.span, index.span, whole)))
        })
    }

    /// An element of a list, given with where the list, the index and both together stand.
    fn element(
        &mut self,
        values: &Value,
        position: &Value,
        (list, index, whole): (Span, Span, Span),
    ) -> Value {
        let (Value::List(items) | Value::Tuple(items)) = values else {
            let source = self.source();
            let help = || without_index(values, source.at(list), whole);
            return self.wrong_kind_with(values, Wanted::Indexed, list, help).into();
        };
        let Some(n) = position.integer() else {
            return self.wrong_kind(position, Wanted::Whole, index).into();
        };
        let found = n.to_i64().and_then(|n| usize::try_from(n).ok()).and_then(|n| items.get(n));
        found.cloned().unwrap_or_else(|| self.out_of_range(&n, items.len(), index).into())
    }

    fn out_of_range(&mut self, n: &Int, length: usize, span: Span) -> Reported {
        let place = self.place(span, format!("this is {n}"));
        let last = length.saturating_sub(1);
        let place = place.advice(format!("indices go from 0 to {last}"));
        self.report(OutOfRange::at(place, n.to_string(), length))
    }

    /// `states[from..to]`; either end may be left out.
    fn slice(
        &mut self,
        list: &'p Expr,
        (from, to): (Option<&'p Expr>, Option<&'p Expr>),
        span: Span,
    ) -> Eval<Value> {
        let values = self.expr(list)?;
        let mut ends = Vec::new();
        for end in [from, to].into_iter().flatten() {
            ends.push(self.expr(end)?);
        }
        let given = ends.clone();
        self.lift(&given, "slice", span, &mut |this, picked| {
            let (Value::List(items) | Value::Tuple(items)) = &values else {
                return Ok(this.wrong_kind(&values, Wanted::Indexed, list.span).into());
            };
            let mut picked = picked.iter();
            let mut end = |expr: Option<&'p Expr>, default: usize| match expr {
                Some(expr) => {
                    let end = picked.next().cloned();
                    (end.unwrap_or_else(|| fault("a slice without an end")), expr.span)
                }
                None => (Value::small(default as i64), span),
            };
            let bounds = [end(from, 0), end(to, items.len())];
            let mut places = Vec::new();
            for (value, at) in bounds {
                let Some(n) = value.integer() else {
                    return Ok(this.wrong_kind(&value, Wanted::Whole, at).into());
                };
                let place = n.to_i64().and_then(|n| usize::try_from(n).ok());
                let Some(place) = place.filter(|place| *place <= items.len()) else {
                    return Ok(this.out_of_range(&n, items.len() + 1, at).into());
                };
                places.push(place);
            }
            let part = match places.as_slice() {
                [from, to] => items.get(*from..*to).unwrap_or_default(),
                _ => &[],
            };
            this.sequence(Value::List, part.to_vec(), span)
        })
    }

    fn pipeline(&mut self, source: &'p Expr, steps: &'p [Expr]) -> Eval<Value> {
        let mut flow = self.flow(source)?;
        let mut value = Value::nothing();
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
            ExprKind::If(branches, otherwise) => {
                this.if_else(branches, otherwise.as_ref(), Some(flow), step.span)
            }
            ExprKind::Choose(choose) => this.choose(choose, step.span, Some(flow)),
            ExprKind::Repeat(repeat) => this.repeat(repeat, flow),
            _ => {
                let help =
                    Help::advice("put a step there, such as `relu` or `conv(8, kernel = 3)`");
                Ok(this.not_a_step("a value", help, step.span).into())
            }
        })
    }

    pub(super) fn not_a_step(&mut self, what: &str, help: Help, span: Span) -> Reported {
        let place = self.place(span, "not a step").help(help);
        self.report(NotAStep::at(place, what))
    }

    /// Whether a condition holds.
    pub(super) fn condition(&mut self, condition: &'p Expr) -> Eval<Sound<bool>> {
        Ok(match self.expr(condition)? {
            Value::Bool(holds) => {
                if holds {
                    self.note_met(condition);
                } else {
                    self.note_unmet(condition)?;
                }
                Ok(holds)
            }
            other => Err(self.wrong_kind(&other, Wanted::Flag, condition.span)),
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
        self.close(mark);
        Ok(match flow {
            Some(_) => {
                let help = Help::advice("end it with a step, such as `relu` or `identity`");
                self.not_a_step("a body that does not end with a step", help, body.span).into()
            }
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
                // What is wrong with a list was reported, and nothing is made of the loop.
                let _ = self.for_each(clauses, &mut |this| this.body(body, None).map(|_| ()))?;
            }
            StatementKind::Expr(value) => {
                let dropped = self.expr(value)?;
                if !dropped.is_poison() && dropped != Value::nothing() {
                    let place = self.place(value.span, format!("this is {}", dropped.describe()));
                    let place = place.advice("bind it, such as `let y = …`, or remove it");
                    self.report(UnusedValue::at(place));
                    self.space.dropped.extend(tensors(&dropped).unwrap_or_default());
                }
            }
            StatementKind::Input(..)
            | StatementKind::Task(..)
            | StatementKind::Output(..)
            | StatementKind::TrainOutput(..)
            | StatementKind::Require(_) => self.port(statement)?,
        }
        Ok(Value::nothing())
    }

    fn assign(&mut self, name: &'p Ident, value: Value) {
        if self.names.assign(&name.name, value) == Assigned::Outside {
            let place = self.place(name.span, "assigned here").advice(
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
                        let reported = self.wrong_pattern(parts, *pattern_span, other, span);
                        vec![reported.into(); parts.len()]
                    }
                };
                for (part, element) in parts.iter().zip(elements) {
                    self.bind(part, element, span);
                }
            }
        }
    }

    fn wrong_pattern(
        &mut self,
        parts: &[Pattern],
        at: Span,
        value: &Value,
        span: Span,
    ) -> Reported {
        let source = self.source();
        let help = match value {
            Value::Poison(reported) => return *reported,
            Value::List(values) | Value::Tuple(values) if values.len() > parts.len() => {
                let mut names: Vec<&str> =
                    parts.iter().map(|part| source.at(part.span()).text()).collect();
                names.resize(values.len(), "_rest");
                let says = |new: &str| format!("write {} names: `{new}`", values.len());
                Fix::replace(source.at(at), format!("({})", names.join(", ")), says).into()
            }
            Value::List(values) | Value::Tuple(values) if !values.is_empty() => {
                let surplus = parts.len() - values.len();
                Help::advice(format!("remove {surplus} of the names, or add values"))
            }
            _ => Help::advice(format!("write one name, or {} values in parentheses", parts.len())),
        };
        let described = value.describe();
        let place = self.place(at, format!("{} names", parts.len()));
        let place = place.label(span, described.clone()).help(help);
        self.report(WrongPattern::at(place, described, parts.len()))
    }

    /// Runs `inner` for every combination of the clauses' elements, the first clause outermost.
    pub(super) fn for_each(
        &mut self,
        clauses: &'p [ForClause],
        inner: &mut dyn FnMut(&mut Self) -> Eval<()>,
    ) -> Eval<Sound<()>> {
        let Some((clause, rest)) = clauses.split_first() else { return Ok(Ok(())) };
        let list = self.expr(&clause.list)?;
        let (Value::List(elements) | Value::Tuple(elements)) = &list else {
            return Ok(Err(self.wrong_kind(&list, Wanted::List, clause.list.span)));
        };
        let mut done = Ok(());
        for element in elements.iter() {
            self.charge(PASS, clause.list.span)?;
            let mark = self.names.open();
            self.bind(&clause.pattern, element.clone(), clause.list.span);
            let inside = match rest {
                [] => inner(self).map(Ok)?,
                rest => self.nested(clause.list.span, |this| this.for_each(rest, inner))?,
            };
            done = done.and(inside);
            self.close(mark);
        }
        Ok(done)
    }
}

/// A field of a tensor of this shape.
fn field_of(shape: &Shape, field: &str) -> Option<Value> {
    let size = |size: u32| Value::small(size.into());
    match field {
        "channels" => Some(size(shape.channels())),
        "height" => shape.height().map(size),
        "width" => shape.width().map(size),
        "shape" => {
            let dims: Vec<Value> = shape.dims().iter().map(|&d| size(d)).collect();
            Some(Value::List(dims.into()))
        }
        _ => None,
    }
}
