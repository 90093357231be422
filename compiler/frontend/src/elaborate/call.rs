//! Calls: blocks instantiated, operators applied.

use std::rc::Rc;

use nas_diagnostics::{Fix, Help, Reported, fault};
use nas_grammar::ast::{Arg, Block, BlockKind, Ident, Span};
use nas_ir::ops::signature::{Arguments, Declaration, Default, Kind, Literal, Operands, Parameter};
use nas_ir::ops::{self, Row};
use nas_ir::shape::MAX_DIMENSION;
use nas_ir::{Measure, Op, OriginId, Varied};

use super::elaborator::Elaborator;
use super::errors::{NotCallable, Recursion, TooLarge, WrongArgument, WrongOperandCount};
use super::help::{self, Wanted};
use super::limits::{Eval, Sound};
use super::node::{Applied, Operand};
use super::parameters::{Given, repeated_flow};
use super::precision::has_precision;
use super::value::tensors;
use super::value::{Flow, Value, depends};
use crate::int::Int;
use crate::modules::{FUNCTIONS, ModuleId};

/// What is called: its name, where that stands, and the whole call.
#[derive(Clone, Copy)]
struct Callee<'c> {
    name: &'c str,
    name_span: Span,
    span: Span,
}

impl<'p> Elaborator<'p, '_> {
    pub(super) fn call(
        &mut self,
        callee: &'p Ident,
        args: &'p [Arg],
        flow: Flow,
        span: Span,
    ) -> Eval<Value> {
        self.call_name(&callee.name, callee.span, args, flow, span)
    }

    pub(super) fn given(&mut self, args: &'p [Arg]) -> Eval<Vec<Given<'p>>> {
        let evaluate = |arg: &'p Arg| {
            let value = self.expr(&arg.value)?;
            Ok(Given { name: arg.name.as_ref(), value, span: arg.span(), at: arg.value.span })
        };
        args.iter().map(evaluate).collect()
    }

    /// Calls what a name means here: a local block value, a block, an operator or a function.
    pub(super) fn call_name(
        &mut self,
        name: &str,
        name_span: Span,
        args: &'p [Arg],
        flow: Flow,
        span: Span,
    ) -> Eval<Value> {
        let mut given: Vec<Given<'p>> =
            flow.into_iter().map(|(value, at)| Given { name: None, value, span: at, at }).collect();
        let flowing = given.len();
        given.extend(self.given(args)?);
        if let Some(reported) = given.iter().find_map(|g| g.value.reported()) {
            self.check_beside(reported, name, given, flowing, span);
            return Ok(reported.into());
        }
        let callee = Callee { name, name_span, span };
        match self.names.get(name) {
            Some(value) => self.call_value(&value, callee, given, flowing),
            None => self.call_target(self.module, name, callee, given, flowing),
        }
    }

    /// Reports what is wrong with the arguments of a call, whatever those are that are unknown after
    /// a report.
    fn check_beside(
        &mut self,
        reported: Reported,
        name: &str,
        mut given: Vec<Given<'p>>,
        flowing: usize,
        span: Span,
    ) {
        let (module, target): (_, Rc<str>) = match self.names.get(name) {
            Some(Value::Callable(module, target)) => (module, target),
            Some(_) => return,
            None => (self.module, name.into()),
        };
        let program = self.program;
        if let Some((_, block)) = program.block(module, &target) {
            if !has_precision(block) {
                let _ = self.take_precision(&target, &mut given);
            }
            // What is wrong was reported, and more than that nobody asks here.
            let _ = self.bind_params(&target, &block.params, given, flowing, span);
        } else if let Some(row) = ops::find(&target) {
            let _ = self.take_precision(&target, &mut given);
            let is_operand = |g: &&Given<'_>| {
                g.name.is_none() && (g.value.is_poison() || tensors(&g.value).is_some())
            };
            let most = match row.declaration.operands {
                Operands::One => flowing.max(1),
                Operands::Two | Operands::Many => usize::MAX,
            };
            let leading = given.iter().take_while(is_operand).count().min(most);
            let mut rest = given.split_off(leading);
            // What depends on decisions is checked case by case, if at all.
            rest.iter_mut().filter(|g| depends(&g.value)).for_each(|g| g.value = reported.into());
            let _ = self.arguments(row.declaration, &rest, span);
        }
    }

    /// Sends a flow into a block or an operator that is a value.
    pub(super) fn apply_value(&mut self, value: &Value, flow: Flow, span: Span) -> Eval<Value> {
        let given: Vec<Given<'p>> =
            flow.into_iter().map(|(value, at)| Given { name: None, value, span: at, at }).collect();
        let flowing = given.len();
        let name = self.snippet(span);
        self.call_value(value, Callee { name: &name, name_span: span, span }, given, flowing)
    }

    fn call_value(
        &mut self,
        value: &Value,
        callee: Callee<'_>,
        given: Vec<Given<'p>>,
        flowing: usize,
    ) -> Eval<Value> {
        match value {
            Value::Callable(module, target) => {
                self.call_target(*module, target, callee, given, flowing)
            }
            Value::Poison(reported) => Ok((*reported).into()),
            Value::Chosen(_) => self.lift_parts(
                std::slice::from_ref(value),
                "call",
                callee.span,
                &mut |this, picked| {
                    let [value] = picked else { fault("a call without what is called") };
                    this.call_value(value, callee, given.clone(), flowing)
                },
            ),
            other => {
                let flow = given.get(..flowing).and_then(<[_]>::first).map(|g| &g.value);
                let source = self.source();
                let at = source.at(callee.name_span);
                let help = help::for_callee(other, at, flow, &self.editable());
                Ok(self.not_callable(callee.name, other.describe(), help, callee.name_span).into())
            }
        }
    }

    fn call_target(
        &mut self,
        module: ModuleId,
        target: &str,
        callee: Callee<'_>,
        mut given: Vec<Given<'p>>,
        flowing: usize,
    ) -> Eval<Value> {
        let Callee { name, name_span, span } = callee;
        if let Some(row) = ops::find(target) {
            return match self.take_precision(name, &mut given)? {
                Ok(precision) => self
                    .computing_with(precision, |this| this.apply_cases(row, given, flowing, span)),
                Err(reported) => Ok(reported.into()),
            };
        }
        if let Some(&function) = FUNCTIONS.iter().find(|name| target == **name) {
            return self.function(function, &given, span);
        }
        let program = self.program;
        if let Some((home, block)) = program.block(module, target) {
            if has_precision(block) {
                return self.instantiate(home, block, given, flowing, span);
            }
            return match self.take_precision(name, &mut given)? {
                Ok(precision) => self.computing_with(precision, |this| {
                    this.instantiate(home, block, given, flowing, span)
                }),
                Err(reported) => Ok(reported.into()),
            };
        }
        let (found, help) = if program.constant(module, target).is_some() {
            ("a constant", format!("pass it to a step, such as `conv(8, kernel = {name})`"))
        } else if program.space(module, target).is_some() {
            ("a space", "move what both use into a block, and call that".to_owned())
        } else if Measure::named(name).is_some() {
            let alone = Fix::write(self.source().at(span), name);
            return Ok(self
                .not_callable(name, "a measure".to_owned(), alone.into(), name_span)
                .into());
        } else {
            return Ok(self.unknown_name(name, name_span).into());
        };
        Ok(self.not_callable(name, found.to_owned(), Help::Advice(help), name_span).into())
    }

    fn not_callable(&mut self, name: &str, found: String, help: Help, span: Span) -> Reported {
        let place = self.place(span, "called here").help(help);
        self.report(NotCallable::at(place, name, found))
    }

    fn instantiate(
        &mut self,
        home: ModuleId,
        block: &'p Block,
        given: Vec<Given<'p>>,
        flowing: usize,
        span: Span,
    ) -> Eval<Value> {
        let name = block.name.name.as_str();
        if self.calls.contains(&(home, name)) {
            let place = self.place(span, "instantiated here, inside itself");
            let place = place.advice("unroll it with `for`; blocks cannot be recursive");
            return Ok(self.report(Recursion::at(place, name)).into());
        }
        let bound = match self.bind_params(name, &block.params, given, flowing, span) {
            Ok(bound) => bound,
            Err(reported) => return Ok(reported.into()),
        };
        let origin = self.origin(span);
        let ordinal = self.paths.count(name);
        let cell = match block.kind {
            BlockKind::Cell => Some(self.paths.enter_cell(name, ordinal)),
            BlockKind::Block => {
                self.paths.enter(format_args!("{name}.{ordinal}"));
                None
            }
        };
        let value = self.instance(home, block, bound, (origin, span))?;
        match cell {
            Some(outer) => self.paths.leave_cell(outer),
            None => self.paths.leave(),
        }
        Ok(value)
    }

    /// The value of an instance: of a copy of the first one for the same call, if there is one.
    fn instance(
        &mut self,
        home: ModuleId,
        block: &'p Block,
        arguments: Vec<Option<Value>>,
        (origin, span): (OriginId, Span),
    ) -> Eval<Value> {
        let id = (home, block.name.name.as_str());
        let call = self.call_of(id, &arguments);
        if let Some((call, operands)) = &call
            && let Some(first) = self.first_instance(call)
        {
            return self.copy(&first, operands, origin, span);
        }
        let start = self.start(origin);
        let value = self.elaborate_block(home, block, arguments, (origin, span))?;
        self.remember(call, (id, block.kind), &start, &value);
        Ok(value)
    }

    /// The value of a block with these arguments.
    fn elaborate_block(
        &mut self,
        home: ModuleId,
        block: &'p Block,
        arguments: Vec<Option<Value>>,
        (origin, span): (OriginId, Span),
    ) -> Eval<Value> {
        self.calls.push((home, &block.name.name));
        let outer_caller = self.caller.replace(origin);
        let decisions = self.space.decisions.len();
        let outer_decisions = std::mem::replace(&mut self.outer_decisions, decisions);
        let value = self.in_module(home, |this| {
            this.bind_defaults(&block.params, arguments)?;
            let value = this.nested(span, |this| this.body(&block.body, None))?;
            if value == Value::nothing() {
                let last = block.body.statements.last().map_or(block.body.span, |last| last.span);
                return Ok(this.wrong_kind(&value, Wanted::Result, last).into());
            }
            Ok(value)
        });
        self.outer_decisions = outer_decisions;
        self.caller = outer_caller;
        self.calls.pop();
        value
    }

    /// Applies an operator. Where the tensors themselves depend on decisions, as those of
    /// `loose_ends`, once for each case.
    fn apply_cases(
        &mut self,
        row: &'static Row,
        given: Vec<Given<'p>>,
        flowing: usize,
        span: Span,
    ) -> Eval<Value> {
        let varies = |g: &Given<'_>| matches!(g.value, Value::Chosen(_)) && g.value.holds_tensor();
        if !given.iter().any(varies) {
            return self.apply(row, given, flowing, span);
        }
        let values: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
        self.lift_parts(&values, row.declaration.name, span, &mut |this, picked| {
            let given = given.iter().zip(picked);
            let given = given.map(|(g, value)| Given { value: value.clone(), ..g.clone() });
            this.apply(row, given.collect(), flowing, span)
        })
    }

    /// Applies an operator: leading tensors are operands, the rest binds to its parameters.
    fn apply(
        &mut self,
        row: &'static Row,
        mut given: Vec<Given<'p>>,
        flowing: usize,
        span: Span,
    ) -> Eval<Value> {
        let declaration = row.declaration;
        let is_operand = |g: &Given<'_>| g.name.is_none() && tensors(&g.value).is_some();
        let leading = given.iter().take_while(|g| is_operand(g)).count();
        let rest = given.split_off(leading);
        let operands: Vec<Operand> = given
            .iter()
            .flat_map(|g| {
                let nodes = tensors(&g.value).unwrap_or_default();
                nodes.into_iter().map(|node| Operand { node, span: g.span })
            })
            .collect();
        // A list of one is put together as it is.
        if let (Operands::Many, [Given { value: Value::List(_), .. }], [only]) =
            (declaration.operands, given.as_slice(), operands.as_slice())
        {
            return Ok(Value::Tensor(only.node));
        }
        if let Err(reported) =
            self.operand_count_fits(declaration, &given, operands.len(), flowing, span)
        {
            return Ok(reported.into());
        }
        match self.varied_op(row, &rest, span)? {
            Ok(op) => self.op(op, &operands, Applied { span, given: &rest }),
            Err(reported) => Ok(reported.into()),
        }
    }

    /// The operator with its arguments, for each case of them.
    fn varied_op(
        &mut self,
        row: &'static Row,
        given: &[Given<'p>],
        span: Span,
    ) -> Eval<Sound<Varied<Op>>> {
        if !given.iter().any(|g| depends(&g.value)) {
            return Ok(self.build(row, given, span).map(Varied::Fixed));
        }
        let values: Vec<Value> = given.iter().map(|g| g.value.clone()).collect();
        self.lift_fixed(&values, span, &mut |this, picked| {
            let given = given.iter().zip(picked);
            let given = given.map(|(g, value)| Given { value: value.clone(), ..g.clone() });
            this.build(row, &given.collect::<Vec<_>>(), span)
        })
    }

    fn build(&mut self, row: &'static Row, given: &[Given<'p>], span: Span) -> Sound<Op> {
        let arguments = self.arguments(row.declaration, given, span)?;
        (row.build)(&arguments).map_err(|problem| {
            self.shape_problem(row.declaration, problem, &[], Applied { span, given })
        })
    }

    fn operand_count_fits(
        &mut self,
        declaration: &Declaration,
        given: &[Given<'_>],
        count: usize,
        flowing: usize,
        span: Span,
    ) -> Sound<()> {
        if declaration.operands.accept(count) {
            return Ok(());
        }
        let name = declaration.name;
        let here = self.place(span, "called here");
        let place = match (declaration.operands, repeated_flow(given, flowing)) {
            (Operands::Two | Operands::Many, _) => here.advice(format!("write `(x, y) -> {name}`")),
            (Operands::One, Some(again)) => self.passed_already(again),
            (Operands::One, None) if count == 0 => {
                here.advice(format!("send a tensor into it: `x -> {}`", self.snippet(span)))
            }
            (Operands::One, None) if flowing > 1 && given.len() == flowing => {
                let says = |new: &str| format!("join them first: `(x, y) -> {new} {name}`");
                here.fix(Fix::before(self.source().at(span), "concat -> ", says))
            }
            (Operands::One, None) => {
                here.advice(format!("join them first: `(x, y) -> concat -> {name}`"))
            }
        };
        let count = if count == 0 { "none".to_owned() } else { count.to_string() };
        let takes = declaration.operands.to_string();
        Err(self.report(WrongOperandCount::at(place, name, takes, count)))
    }

    /// The checked arguments of an operator, defaults filled in.
    fn arguments(
        &mut self,
        declaration: &'static Declaration,
        given: &[Given<'p>],
        span: Span,
    ) -> Sound<Arguments> {
        let names: Vec<&str> = declaration.params.iter().map(|p| p.name).collect();
        let slots = self.assign_slots(declaration.name, &names, given, 0)?;
        let mut arguments = Arguments::default();
        let mut missing = Vec::new();
        let mut sound = Ok(());
        for (param, slot) in declaration.params.iter().zip(slots) {
            match (slot.and_then(|i| given.get(i)), param.default) {
                (Some(Given { value: Value::Poison(reported), .. }), _) => {
                    sound = sound.and(Err(*reported));
                }
                (Some(given), _) => {
                    match literal(&given.value).and_then(|value| param.kind.argument(&value)) {
                        Some(argument) => arguments = arguments.with(param.name, argument),
                        None => {
                            let wrong = self.wrong_argument(declaration, param, given, span);
                            sound = sound.and(Err(wrong));
                        }
                    }
                }
                (None, Default::Is(argument)) => arguments = arguments.with(param.name, argument),
                (None, Default::Absent) => {}
                (None, Default::Required) => missing.push(param.name),
            }
        }
        if !missing.is_empty() {
            return Err(self.missing(declaration.name, &names, &missing, span));
        }
        sound.map(|()| arguments)
    }

    fn wrong_argument(
        &mut self,
        declaration: &Declaration,
        param: &Parameter,
        given: &Given<'_>,
        call: Span,
    ) -> Reported {
        let takes_whole = matches!(param.kind, Kind::Count(_) | Kind::Pair(_) | Kind::Padding);
        if takes_whole && is_above_limit(&given.value) {
            let place = self.place(given.span, "this is too large");
            let place = place.advice(format!("write a number of at most {MAX_DIMENSION}"));
            let what = format!("`{}` of `{}`", param.name, declaration.name);
            return self.report(TooLarge::at(place, what, MAX_DIMENSION));
        }
        let found = given.value.describe();
        let source = self.source();
        let is_factor = declaration.name == "resize" && param.name == "scale";
        if is_factor && given.value.number().is_some_and(|scale| scale > 0.0) {
            let place = self.place(given.span, format!("this is {found}"));
            let place = place.advice(
                "say the size instead, which `/` rounds down: `size = (x.height / 2, x.width / 2)`",
            );
            let expected = "a whole factor";
            return self.report(WrongArgument::at(place, "resize", "scale", expected, found));
        }
        let (whole, at) = (source.at(given.span), source.at(given.at));
        let fix = help::for_argument(param.name, param.kind, &given.value, whole, at);
        let is_within = given.is_within(call);
        let help = if is_within { fix.into() } else { Help::Advice(fix.to_string()) };
        let place = self.place(given.span, format!("this is {found}")).help(help);
        let expected = param.kind.to_string();
        self.report(WrongArgument::at(place, declaration.name, param.name, expected, found))
    }
}

/// Whether a number, or one of a tuple, is larger than any that an operator takes.
fn is_above_limit(value: &Value) -> bool {
    match value {
        Value::Int(n) => *n > Int::Small(MAX_DIMENSION as i64),
        Value::Tuple(parts) => parts.iter().any(is_above_limit),
        _ => false,
    }
}

/// A static value, for an operator to check.
fn literal(value: &Value) -> Option<Literal> {
    Some(match value {
        Value::Real(_) if let Some(n) = value.whole() => Literal::Int(n),
        Value::Int(n) => n.to_i64().map_or(Literal::Real(n.to_f64()), Literal::Int),
        Value::Real(r) => Literal::Real(*r),
        Value::Bool(b) => Literal::Flag(*b),
        Value::Text(text) => Literal::Text(text.to_string()),
        Value::Tuple(parts) => Literal::Tuple(parts.iter().map(literal).collect::<Option<_>>()?),
        _ => return None,
    })
}
