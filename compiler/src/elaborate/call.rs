//! Calls: arguments bound to parameters, blocks instantiated, operators applied.

use nas_grammar::ast::{Arg, Block, Ident, Param, Span};

use super::errors::{
    MissingArgument, NotCallable, Recursion, RepeatedArgument, TooManyArguments, UnknownArgument,
    WrongArgument, WrongOperandCount,
};
use super::expr::Flow;
use super::node::Operand;
use super::{Elaborator, Eval, Value};
use crate::error::nearest;
use crate::modules::{FUNCTIONS, ModuleId};
use crate::ops::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::ops::{self, Row};

/// An evaluated argument.
pub(super) struct Given<'p> {
    pub(super) name: Option<&'p Ident>,
    pub(super) value: Value,
    pub(super) span: Span,
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
            flow.into_iter().map(|(value, span)| Given { name: None, value, span }).collect();
        let flowing = given.len();
        for arg in args {
            let value = self.expr(&arg.value)?;
            given.push(Given { name: arg.name.as_ref(), value, span: arg.span() });
        }
        if given.iter().any(|g| g.value.is_poison()) {
            return Ok(Value::Poison);
        }
        let (module, target) = match self.names.get(name) {
            Some(Value::Callable(module, target)) => (*module, target.to_string()),
            Some(Value::Poison) => return Ok(Value::Poison),
            Some(other) => {
                let found = other.describe();
                let place = self.place(name_span, "called here");
                return Ok(self.report(NotCallable::at(place, name, found)));
            }
            None => (self.module, name.to_owned()),
        };
        if let Some(row) = ops::find(&target) {
            return self.apply(row, given, flowing, span);
        }
        if let Some(&function) = FUNCTIONS.iter().find(|f| **f == target) {
            return self.function(function, &given, span);
        }
        let program = self.program;
        if let Some((home, block)) = program.block(module, &target) {
            return self.instantiate(home, block, given, flowing, span);
        }
        let is_other_item = program.module(module).is_some_and(|m| m.symbols.contains_key(&target));
        if is_other_item {
            let place = self.place(name_span, "called here");
            return Ok(self.report(NotCallable::at(place, name, "another item")));
        }
        Ok(Value::Poison)
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
            let place = place.help("unroll it with `for`; blocks cannot be recursive");
            return Ok(self.report(Recursion::at(place, name)));
        }
        let Some(bound) = self.bind_params(name, &block.params, given, flowing, span) else {
            return Ok(Value::Poison);
        };
        let origin = self.origin(span);
        let ordinal = self.paths.count(name);
        self.paths.enter(&format!("{name}.{ordinal}"));
        self.calls.push((home, name));
        let outer_caller = self.caller.replace(origin);
        let value = self.in_module(home, |this| {
            this.bind_defaults(&block.params, bound)?;
            this.nested(span, |this| this.body(&block.body, None))
        });
        self.caller = outer_caller;
        self.calls.pop();
        self.paths.leave();
        value
    }

    /// The given value of each parameter, or `None` after a report.
    pub(super) fn bind_params(
        &mut self,
        callee: &str,
        params: &'p [Param],
        given: Vec<Given<'p>>,
        flowing: usize,
        span: Span,
    ) -> Option<Vec<Option<Value>>> {
        let names: Vec<&str> = params.iter().map(|p| p.name.name.as_str()).collect();
        let places = self.assign_slots(callee, &names, &given, flowing, span)?;
        let missing: Vec<&str> = params
            .iter()
            .zip(&places)
            .filter(|(param, slot)| param.default.is_none() && slot.is_none())
            .map(|(param, _)| param.name.name.as_str())
            .collect();
        if !missing.is_empty() {
            self.missing(callee, &names, &missing, span);
            return None;
        }
        let mut values: Vec<Option<Value>> = given.into_iter().map(|g| Some(g.value)).collect();
        let take = |slot: Option<usize>| slot.and_then(|i| values.get_mut(i)?.take());
        Some(places.into_iter().map(take).collect())
    }

    fn missing(&mut self, callee: &str, names: &[&str], missing: &[&str], span: Span) {
        let quoted: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let place = self
            .place(span, "not given here")
            .help(format!("its parameters are `{callee}({})`", names.join(", ")));
        self.report(MissingArgument::at(place, callee, quoted.join(", ")));
    }

    /// For each parameter, which of the given values it takes; `None` after a report.
    fn assign_slots(
        &mut self,
        callee: &str,
        names: &[&str],
        given: &[Given<'_>],
        flowing: usize,
        span: Span,
    ) -> Option<Vec<Option<usize>>> {
        let mut slots: Vec<Option<usize>> = vec![None; names.len()];
        let mut is_sound = true;
        let mut next = 0;
        for (index, arg) in given.iter().enumerate() {
            let position = match arg.name {
                Some(name) => names.iter().position(|n| *n == name.name),
                None => {
                    next += 1;
                    Some(next - 1).filter(|&position| position < names.len())
                }
            };
            let Some(position) = position else {
                is_sound = false;
                match arg.name {
                    Some(name) => self.unknown_argument(callee, names, name),
                    None if next == names.len() + 1 => {
                        self.too_many(callee, names, given, flowing, span);
                    }
                    None => {}
                }
                continue;
            };
            match slots.get_mut(position) {
                Some(slot @ None) => *slot = Some(index),
                Some(Some(first)) => {
                    is_sound = false;
                    let first = given.get(*first).map(|g| g.span).unwrap_or_default();
                    let name = names.get(position).copied().unwrap_or_default();
                    let place = self.place(arg.span, "given again here");
                    let place = place.label(first, "first given here").help("remove one of them");
                    self.report(RepeatedArgument::at(place, name));
                }
                None => {}
            }
        }
        is_sound.then_some(slots)
    }

    fn unknown_argument(&mut self, callee: &str, names: &[&str], name: &Ident) {
        let help = match nearest(&name.name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("`{callee}` has no parameters"),
            None => format!("its parameters are {}", names.join(", ")),
        };
        let place = self.place(name.span, "no such parameter").help(help);
        self.report(UnknownArgument::at(place, callee, name.name.clone()));
    }

    fn too_many(
        &mut self,
        callee: &str,
        names: &[&str],
        given: &[Given<'_>],
        flowing: usize,
        span: Span,
    ) {
        let repeats_flow =
            flowing > 0 && given.get(flowing).is_some_and(|g| matches!(g.value, Value::Tensor(_)));
        let help = if repeats_flow {
            "`->` already passes what stands before it as the first argument".to_owned()
        } else {
            format!("its parameters are `{callee}({})`", names.join(", "))
        };
        let takes = match names.len() {
            1 => "1 argument".to_owned(),
            n => format!("{n} arguments"),
        };
        let positional = given.iter().filter(|g| g.name.is_none()).count();
        let place = self.place(span, "called here").help(help);
        self.report(TooManyArguments::at(place, callee, takes, positional));
    }

    /// Binds parameters in order, so that a default may use those before it.
    pub(super) fn bind_defaults(
        &mut self,
        params: &'p [Param],
        bound: Vec<Option<Value>>,
    ) -> Eval<()> {
        for (param, value) in params.iter().zip(bound) {
            let value = match (value, &param.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.expr(default)?,
                (None, None) => Value::Poison,
            };
            self.names.bind(&param.name.name, value);
        }
        Ok(())
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
        if !self.operand_count_fits(declaration, operands.len(), flowing, span) {
            return Ok(Value::Poison);
        }
        let Some(arguments) = self.arguments(declaration, &rest, flowing, span) else {
            return Ok(Value::Poison);
        };
        match (row.build)(&arguments) {
            Ok(op) => self.op(op, &operands, span),
            Err(problem) => {
                let (title, help) = match problem {
                    ops::ShapeProblem::Mismatch { title, help }
                    | ops::ShapeProblem::Window { title, help } => (title, help),
                    other => (format!("{other:?}"), String::new()),
                };
                let place = self.place(span, "here").help(help);
                Ok(self.report(super::errors::ShapeMismatch::at(place, title)))
            }
        }
    }

    fn operand_count_fits(
        &mut self,
        declaration: &Declaration,
        count: usize,
        flowing: usize,
        span: Span,
    ) -> bool {
        let (fits, takes) = match declaration.operands {
            Operands::One => (count == 1, "one tensor"),
            Operands::Many => (count >= 2, "two or more tensors"),
        };
        if fits {
            return true;
        }
        let given = match count {
            0 => "none".to_owned(),
            n => n.to_string(),
        };
        let help = if count > 1 && flowing > 0 {
            "`->` already passes what stands before it as the first argument".to_owned()
        } else if declaration.operands == Operands::Many {
            format!("write `(a, b) -> {0}` or `{0}(a, b)`", declaration.name)
        } else {
            format!("write `{}`", declaration.example)
        };
        let place = self.place(span, "called here").help(help);
        self.report(WrongOperandCount::at(place, declaration.name, takes, given));
        false
    }

    /// The checked arguments of an operator, defaults filled in; `None` after a report.
    fn arguments(
        &mut self,
        declaration: &'static Declaration,
        given: &[Given<'p>],
        flowing: usize,
        span: Span,
    ) -> Option<Arguments> {
        let names: Vec<&str> = declaration.params.iter().map(|p| p.name).collect();
        let slots = self.assign_slots(declaration.name, &names, given, flowing.min(1), span)?;
        let mut arguments = Arguments::default();
        let mut missing = Vec::new();
        let mut is_sound = true;
        for (param, slot) in declaration.params.iter().zip(slots) {
            match (slot.and_then(|i| given.get(i)), param.default) {
                (Some(given), _) => match convert(&given.value, param.kind) {
                    Some(argument) => arguments = arguments.with(param.name, argument),
                    None => {
                        is_sound = false;
                        self.wrong_argument(declaration, param, given);
                    }
                },
                (None, Default::Is(argument)) => arguments = arguments.with(param.name, argument),
                (None, Default::Absent) => {}
                (None, Default::Required) => missing.push(param.name),
            }
        }
        if !missing.is_empty() {
            self.missing(declaration.name, &names, &missing, span);
            return None;
        }
        is_sound.then_some(arguments)
    }

    fn wrong_argument(&mut self, declaration: &Declaration, param: &Parameter, given: &Given<'_>) {
        let found = given.value.describe();
        let mut place = self.place(given.span, format!("this is {found}"));
        if let (Kind::Word(words), Value::Text(text)) = (param.kind, &given.value)
            && let Some(near) = nearest(text, words.iter().copied())
        {
            place = place.help(format!("did you mean \"{near}\"?"));
        }
        let expected = param.kind.to_string();
        self.report(WrongArgument::at(place, declaration.name, param.name, expected, found));
    }
}

/// The nodes of a tensor, or of a list or tuple of tensors.
pub(super) fn tensors(value: &Value) -> Option<Vec<crate::ir::NodeId>> {
    match value {
        Value::Tensor(node) => Some(vec![*node]),
        Value::List(values) | Value::Tuple(values) if !values.is_empty() => values
            .iter()
            .map(|value| if let Value::Tensor(node) = value { Some(*node) } else { None })
            .collect(),
        _ => None,
    }
}

/// The argument that a value makes for a parameter of this kind, if it makes one.
fn convert(value: &Value, kind: Kind) -> Option<Argument> {
    let count = |value: &Value, min: u32| match value {
        Value::Int(n) => n.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|&n| n >= min),
        _ => None,
    };
    let pair = |min: u32| match value {
        Value::Tuple(parts) => match parts.as_ref() {
            [a, b] => Some([count(a, min)?, count(b, min)?]),
            _ => None,
        },
        single => count(single, min).map(|n| [n, n]),
    };
    let word = |words: &[&'static str]| match value {
        Value::Text(text) => words.iter().find(|w| ***w == **text).map(|w| Argument::Word(w)),
        _ => None,
    };
    match kind {
        Kind::Count(min) => count(value, min).map(Argument::Count),
        Kind::Pair(min) => pair(min).map(Argument::Pair),
        Kind::Real => value.number().filter(|r| r.is_finite()).map(Argument::Real),
        Kind::Flag => {
            if let Value::Bool(b) = value {
                Some(Argument::Flag(*b))
            } else {
                None
            }
        }
        Kind::Word(words) => word(words),
        Kind::Padding => word(&["same", "valid"]).or_else(|| pair(0).map(Argument::Pair)),
    }
}
