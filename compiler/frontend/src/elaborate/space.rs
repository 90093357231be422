//! The statements of a space: parameters, inputs, task, outputs.

use nas_diagnostics::{Fix, Help, Reported, fault, one_of, suggested};
use nas_grammar::ast::{Arg, Expr, Ident, Space as SpaceItem, Span, Statement, StatementKind};
use nas_ir::shape::MAX_DIMENSION;
use nas_ir::{NodeKind, Shape, Task, Varied};

use super::elaborator::Elaborator;
use super::errors::{BadInputShape, DuplicatePort, NoDefault, SecondTask, UnknownTask};
use super::help::Wanted;
use super::limits::{Eval, Sound};
use super::parameters::{Given, take_slots};
use super::scope::Mark;
use super::value::Value;
use crate::modules::ModuleId;

/// The tasks that there are.
const SEGMENTATION: &str = "segmentation";
const CLASSIFICATION: &str = "classification";
const MULTILABEL: &str = "multilabel";
const REGRESSION: &str = "regression";
const TASKS: [&str; 4] = [SEGMENTATION, CLASSIFICATION, MULTILABEL, REGRESSION];
/// The label that neither loss nor metric sees, if the task does not say.
const DEFAULT_IGNORE: u32 = 255;
/// The weight of the loss of a train output, if it does not say (NASNet, DARTS).
const LOSS_WEIGHT: f64 = 0.4;

impl<'p> Elaborator<'p, '_> {
    pub(super) fn space_item(
        &mut self,
        item: &'p SpaceItem,
        args: &'p [Arg],
        args_module: ModuleId,
    ) -> Eval<()> {
        let without_default = item.params.iter().filter(|param| param.default.is_none());
        for param in without_default {
            let place = self.place(param.name.span, "no default");
            let place = place.advice(format!("give it one: `{} = …`", param.name.name));
            self.report(NoDefault::at(place, param.name.name.clone()));
        }
        let home = std::mem::replace(&mut self.module, args_module);
        let given = self.given(args)?;
        let names: Vec<&str> = item.params.iter().map(|param| param.name.name.as_str()).collect();
        let slots = self.assign_slots(&item.name.name, &names, &given, 0);
        self.module = home;
        let slots = slots.unwrap_or_else(|_| vec![None; names.len()]);
        self.bind_defaults(&item.params, take_slots(given, slots))?;
        for statement in &item.body.statements {
            self.statement(statement)?;
        }
        self.read_required();
        self.close(Mark::default());
        Ok(())
    }

    pub(super) fn port(&mut self, statement: &'p Statement) -> Eval<()> {
        match &statement.kind {
            StatementKind::Input(name, shape) => self.input(name, shape),
            StatementKind::Output(name, value) => self.output(name, value, NodeKind::Output),
            StatementKind::TrainOutput(args, name, value) => {
                let weight = self.loss_weight(args)?;
                self.output(name, value, NodeKind::TrainOutput { weight })
            }
            StatementKind::Task(name, args) => self.task(name, args, statement.span),
            StatementKind::Require(claim) => self.require(claim),
            _ => Ok(()),
        }
    }

    /// Takes a name, if there is none of this name yet.
    fn port_name(&mut self, what: &'static str, name: &'p Ident) -> Sound<()> {
        let own = self.ports.insert((what, &name.name), name.span);
        // In a file of a network, both are values of one graph.
        let other = || self.ports.get(&("inputs", name.name.as_str())).copied();
        let (what, first) = match (own, other()) {
            (Some(first), _) => (what, first),
            (None, Some(first)) if what != "inputs" => ("ports", first),
            (None, _) => return Ok(()),
        };
        let place = self.place(name.span, "again here").label(first, "first here");
        let place = place.advice("rename one of them");
        Err(self.report(DuplicatePort::at(place, what, name.name.clone())))
    }

    fn input(&mut self, name: &'p Ident, shape: &'p Expr) -> Eval<()> {
        let value = self.expr(shape)?;
        let shape = self.input_shape(&value, shape.span)?;
        let value = match shape.and_then(|shape| self.port_name("inputs", name).map(|()| shape)) {
            Ok(shape) => {
                let path = name.name.clone();
                Value::Tensor(self.add(NodeKind::Input, Vec::new(), shape, path, name.span)?)
            }
            Err(reported) => reported.into(),
        };
        self.names.bind(&name.name, value);
        Ok(())
    }

    /// The shape that a value means, for each case of it.
    fn input_shape(&mut self, value: &Value, span: Span) -> Eval<Sound<Varied<Shape>>> {
        self.lift_fixed(std::slice::from_ref(value), span, &mut |this, picked| {
            let [picked] = picked else { fault("an input without its shape") };
            input_shape(picked).ok_or_else(|| this.bad_input_shape(picked, span))
        })
    }

    fn bad_input_shape(&mut self, value: &Value, span: Span) -> Reported {
        let list = |values: &[Value]| {
            let parts: Vec<String> = values.iter().map(Value::to_string).collect();
            format!("[{}]", parts.join(", "))
        };
        let source = self.source();
        let at = source.at(span);
        let (found, help) = match value {
            Value::List(values) if values.len() == 4 => {
                let says = |new: &str| format!("leave out the batch: `{new}`");
                let map = list(values.get(1..).unwrap_or_default());
                (list(values), Fix::replace(at, map, says).into())
            }
            Value::List(values) => (
                list(values),
                Help::advice(format!(
                    "write three whole numbers from 1 to {MAX_DIMENSION}, such as `[3, 224, 224]`"
                )),
            ),
            Value::Poison(reported) => return *reported,
            Value::Tuple(values) => (value.describe(), Fix::write(at, list(values)).into()),
            other => (other.describe(), Help::advice("write a list, such as `[3, 224, 224]`")),
        };
        let place = self.place(span, "not a shape").help(help);
        self.report(BadInputShape::at(place, found))
    }

    /// By what the loss of a train output is multiplied.
    fn loss_weight(&mut self, args: &'p [Arg]) -> Eval<f64> {
        let given = self.given(args)?;
        let slots = self.assign_slots("train", &["weight"], &given, 0).unwrap_or_default();
        let Some(weight) = slots.first().copied().flatten().and_then(|index| given.get(index))
        else {
            return Ok(LOSS_WEIGHT);
        };
        let number = match &weight.value {
            Value::Int(n) => n.to_i64().map(|n| n as f64),
            Value::Real(r) => Some(*r),
            _ => None,
        };
        let fitting = number.filter(|n| n.is_finite() && *n > 0.0);
        if fitting.is_none() {
            self.wrong_kind(&weight.value, Wanted::LossWeight, weight.at);
        }
        Ok(fitting.unwrap_or(LOSS_WEIGHT))
    }

    fn output(&mut self, name: &'p Ident, value: &'p Expr, kind: NodeKind) -> Eval<()> {
        let tensor = self.expr(value)?;
        let Value::Tensor(node) = tensor else {
            self.wrong_kind(&tensor, Wanted::Tensor, value.span);
            return Ok(());
        };
        if self.port_name("outputs", name).is_ok()
            && let Some(shape) = self.shape_of(node).cloned()
        {
            let port = self.add(kind, vec![node], shape, name.name.clone(), name.span)?;
            let origin = self.space.graph.node(port).and_then(|port| port.origin);
            origin.into_iter().for_each(|port| self.space.origins.note_whole(port, value.span));
        }
        Ok(())
    }

    fn task(&mut self, name: &'p Ident, args: &'p [Arg], span: Span) -> Eval<()> {
        let parameters: &[&str] = match name.name.as_str() {
            SEGMENTATION => &["classes", "ignore"],
            CLASSIFICATION | MULTILABEL => &["classes"],
            REGRESSION => &["values"],
            other => {
                let source = self.source();
                let help = suggested(source.at(name.span), other, &TASKS, "the tasks are");
                let place = self.place(name.span, "no such task").help(help);
                self.report(UnknownTask::at(place, other));
                return Ok(());
            }
        };
        if let Some(first) = self.ports.insert(("tasks", ""), span) {
            let source = self.source();
            let help = one_of(source.at(first), source.at(span));
            let place = self.place(span, "the second one").help(help);
            self.report(SecondTask::at(place));
            return Ok(());
        }
        let given = self.given(args)?;
        let Ok(slots) = self.assign_slots(&name.name, parameters, &given, 0) else {
            return Ok(());
        };
        let given_at = |slot: usize| given.get((*slots.get(slot)?)?);
        let Some(first) = given_at(0) else {
            self.missing(&name.name, parameters, parameters.get(..1).unwrap_or_default(), span);
            return Ok(());
        };
        let most = MAX_DIMENSION as u32;
        self.space.task = match name.name.as_str() {
            CLASSIFICATION => {
                let classes = self.number_in(first, 2..=most, Wanted::AnyClasses);
                classes.map(|classes| Task::Classification { classes })
            }
            MULTILABEL => {
                let classes = self.number_in(first, 1..=most, Wanted::Labels);
                classes.map(|classes| Task::Multilabel { classes })
            }
            REGRESSION => {
                let values = self.number_in(first, 1..=most, Wanted::Values);
                values.map(|values| Task::Regression { values })
            }
            _ => {
                let classes = self.number_in(first, 2..=255, Wanted::Classes);
                let ignore = match given_at(1) {
                    Some(ignore) => self.number_in(ignore, 0..=255, Wanted::Label),
                    None => Some(DEFAULT_IGNORE),
                };
                let both = classes.zip(ignore);
                both.map(|(classes, ignore)| Task::Segmentation { classes, ignore })
            }
        };
        Ok(())
    }

    /// A number in bounds, or `None` after a report. Labels of segmentations are bytes.
    fn number_in(
        &mut self,
        given: &Given<'p>,
        bounds: std::ops::RangeInclusive<u32>,
        wanted: Wanted,
    ) -> Option<u32> {
        let number = given.value.whole().and_then(|n| u32::try_from(n).ok());
        let fitting = number.filter(|n| bounds.contains(n));
        if fitting.is_none() {
            self.wrong_kind(&given.value, wanted, given.at);
        }
        fitting
    }
}

fn input_shape(value: &Value) -> Option<Shape> {
    let Value::List(dims) = value else { return None };
    let is_size = |n: &i64| (1..=MAX_DIMENSION as i64).contains(n);
    let size = |value: &Value| value.whole().filter(is_size).map(|n| n as u32);
    match dims.as_ref() {
        [c, h, w] => Some(Shape::from([size(c)?, size(h)?, size(w)?])),
        _ => None,
    }
}
