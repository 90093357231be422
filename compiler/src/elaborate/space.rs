//! The statements of a space: parameters, inputs, task, outputs.

use nas_grammar::ast::{Arg, Expr, Ident, Space as SpaceItem, Span, Statement, StatementKind};

use super::call::Given;
use super::errors::{
    BadInputShape, DuplicatePort, NoDefault, SecondTask, UnknownArgument, UnknownTask,
};
use super::{Elaborator, Eval, Value};
use crate::error::nearest;
use crate::ir::{NodeKind, Task};
use crate::modules::ModuleId;
use crate::shape::{MAX_DIMENSION, Shape};

/// The label that neither loss nor metric sees, if the task does not say.
const DEFAULT_IGNORE: u32 = 255;

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
            let place = place.help(format!("write `{} = …`", param.name.name));
            self.report(NoDefault::at(place, param.name.name.clone()));
        }
        let home = std::mem::replace(&mut self.module, args_module);
        let mut given = Vec::new();
        for arg in args {
            let value = self.expr(&arg.value)?;
            given.push(Given { name: arg.name.as_ref(), value, span: arg.span() });
        }
        let bound = self.bind_params(&item.name.name, &item.params, given, 0, item.name.span);
        self.module = home;
        let bound = bound.unwrap_or_else(|| vec![None; item.params.len()]);
        self.bind_defaults(&item.params, bound)?;
        for statement in &item.body.statements {
            self.statement(statement)?;
        }
        Ok(())
    }

    pub(super) fn port(&mut self, statement: &'p Statement) -> Eval<()> {
        match &statement.kind {
            StatementKind::Input(name, shape) => self.input(name, shape),
            StatementKind::Output(name, value) => self.output(name, value),
            StatementKind::Task(name, args) => self.task(name, args, statement.span),
            _ => Ok(()),
        }
    }

    fn is_taken(&mut self, kind: NodeKind, what: &str, name: &Ident) -> bool {
        let first = self.space.graph.nodes().find(|(_, n)| n.kind == kind && n.name == name.name);
        let Some((_, node)) = first else { return false };
        let first_span = self.space.origin(node.origin).map(|origin| origin.span);
        let place = self.place(name.span, "again here").help("rename one of them");
        let place = match first_span {
            Some(span) => place.label(span, "first here"),
            None => place,
        };
        self.report(DuplicatePort::at(place, what, name.name.clone()));
        true
    }

    fn input(&mut self, name: &'p Ident, shape: &'p Expr) -> Eval<()> {
        let value = self.expr(shape)?;
        let value = match input_shape(&value) {
            Some(shape) if !self.is_taken(NodeKind::Input, "inputs", name) => {
                let path = name.name.clone();
                Value::Tensor(self.add(NodeKind::Input, Vec::new(), shape, path, name.span)?)
            }
            None if !value.is_poison() => {
                let found = match &value {
                    Value::List(values) => {
                        let parts: Vec<String> = values.iter().map(Value::to_string).collect();
                        format!("[{}]", parts.join(", "))
                    }
                    other => other.describe(),
                };
                let place = self.place(shape.span, "not a shape").help(format!(
                    "write three whole numbers from 1 to {MAX_DIMENSION}, such as [3, 224, 224]"
                ));
                self.report(BadInputShape::at(place, found))
            }
            _ => Value::Poison,
        };
        self.names.bind(&name.name, value);
        Ok(())
    }

    fn output(&mut self, name: &'p Ident, value: &'p Expr) -> Eval<()> {
        let tensor = self.expr(value)?;
        let Value::Tensor(node) = tensor else {
            self.wrong_kind(&tensor, "a tensor", value.span);
            return Ok(());
        };
        if !self.is_taken(NodeKind::Output, "outputs", name)
            && let Some(shape) = self.shape_of(node)
        {
            self.add(NodeKind::Output, vec![node], shape, name.name.clone(), name.span)?;
        }
        Ok(())
    }

    fn task(&mut self, name: &'p Ident, args: &'p [Arg], span: Span) -> Eval<()> {
        const TASKS: [&str; 1] = ["segmentation"];
        if !TASKS.contains(&name.name.as_str()) {
            let near = nearest(&name.name, TASKS).unwrap_or("segmentation");
            let place = self.place(name.span, "no such task");
            let place = place.help(format!("write `task {near}(classes)`"));
            self.report(UnknownTask::at(place, name.name.clone()));
            return Ok(());
        }
        if self.space.task.is_some() {
            let place = self.place(span, "the second one").help("remove one of them");
            self.report(SecondTask::at(place));
            return Ok(());
        }
        let (mut classes, mut ignore) = (None, DEFAULT_IGNORE);
        for (position, arg) in args.iter().enumerate() {
            let value = self.expr(&arg.value)?;
            let key = arg
                .name
                .as_ref()
                .map(|n| n.name.as_str())
                .or(["classes", "ignore"].get(position).copied());
            let number = match &value {
                Value::Int(n) => {
                    n.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n < 256)
                }
                _ => None,
            };
            match (key, number) {
                (Some("classes"), Some(n)) if n >= 2 => classes = Some(n),
                (Some("ignore"), Some(n)) => ignore = n,
                (Some("classes" | "ignore"), _) => {
                    self.wrong_kind(&value, "a whole number below 256", arg.value.span);
                    classes = classes.or(Some(2));
                }
                _ => {
                    let place = self.place(arg.span(), "no such parameter");
                    let place = place.help("its parameters are classes, ignore");
                    let key = key.unwrap_or("a third one");
                    self.report(UnknownArgument::at(place, name.name.clone(), key));
                }
            }
        }
        match classes {
            Some(classes) => self.space.task = Some(Task::Segmentation { classes, ignore }),
            None => {
                let place =
                    self.place(span, "not given here").help("write `task segmentation(19)`");
                self.report(super::errors::MissingArgument::at(
                    place,
                    name.name.clone(),
                    "`classes`",
                ));
            }
        }
        Ok(())
    }
}

fn input_shape(value: &Value) -> Option<Shape> {
    let Value::List(dims) = value else { return None };
    let size = |value: &Value| match value {
        Value::Int(n) => {
            n.to_i64().filter(|n| (1..=MAX_DIMENSION as i64).contains(n)).map(|n| n as u32)
        }
        _ => None,
    };
    match dims.as_ref() {
        [c, h, w] => Some(Shape::map(size(c)?, size(h)?, size(w)?)),
        _ => None,
    }
}
