//! Values while a space is elaborated: tensors, which are nodes of the graph, and static values.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use nas_diagnostics::Reported;
use nas_grammar::ast::Span;
use nas_ir::diagram::Diagram;
use nas_ir::{NodeId, Table, ops};

use super::limits::MAX_LENGTH;
use crate::int::Int;
use crate::modules::ModuleId;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// The value of a node.
    Tensor(NodeId),
    /// A whole number.
    Int(Int),
    /// A number.
    Real(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    Text(Rc<str>),
    /// `[a, b]`
    List(Values),
    /// `(a, b)`; the empty one is what statements without a value give.
    Tuple(Values),
    /// A block, an operator or a function by name, as seen from a file.
    Callable(ModuleId, Rc<str>),
    /// A value that decisions make; those in the table do not depend on decisions.
    Chosen(Rc<Table<Value>>),
    /// What a reported problem left; every use of it is silent.
    Poison(Reported),
}

impl From<Reported> for Value {
    fn from(reported: Reported) -> Self {
        Self::Poison(reported)
    }
}

impl Value {
    /// The value of a statement that has none.
    pub(crate) fn nothing() -> Self {
        Value::Tuple(Values::from(Vec::new()))
    }

    pub(crate) fn small(n: i64) -> Self {
        Value::Int(Int::Small(n))
    }

    pub(crate) fn is_poison(&self) -> bool {
        matches!(self, Value::Poison(_))
    }

    /// The report that left it, for poison.
    pub(crate) fn reported(&self) -> Option<Reported> {
        if let Value::Poison(reported) = self { Some(*reported) } else { None }
    }

    /// The node, for a tensor.
    pub(crate) fn node(&self) -> Option<NodeId> {
        if let Value::Tensor(node) = self { Some(*node) } else { None }
    }

    /// How many values it holds, itself among them: what going through it costs.
    pub(crate) fn size(&self) -> usize {
        match self {
            Value::List(values) | Value::Tuple(values) => values.size,
            Value::Chosen(table) => {
                table.values().iter().map(Value::size).fold(1, usize::saturating_add)
            }
            Value::Text(text) => 1 + text.len() / BYTES,
            Value::Int(n) => 1 + n.words(),
            _ => 1,
        }
    }

    /// How deep lists and tuples nest in it.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Value::List(values) | Value::Tuple(values) => values.depth,
            Value::Chosen(table) => table.values().iter().map(Value::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether it is a tensor, or holds one.
    pub(crate) fn holds_tensor(&self) -> bool {
        match self {
            Value::Tensor(_) => true,
            Value::List(values) | Value::Tuple(values) => values.iter().any(Value::holds_tensor),
            Value::Chosen(table) => table.values().iter().any(Value::holds_tensor),
            _ => false,
        }
    }

    /// Whether it is known at once to be the same value.
    pub(crate) fn is_shared(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
                Rc::ptr_eq(&a.values, &b.values)
            }
            (Value::Chosen(a), Value::Chosen(b)) => Rc::ptr_eq(a, b),
            (Value::Text(a), Value::Text(b)) => Rc::ptr_eq(a, b),
            (Value::Tensor(a), Value::Tensor(b)) => a == b,
            _ => false,
        }
    }

    /// Whether it is the same value of the same kind: 1 and 1.0 are not.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
                let same = || a.iter().zip(b.iter()).all(|(a, b)| a.is_identical(b));
                self.is_shared(other) || (a.len() == b.len() && same())
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other) && self == other,
        }
    }

    /// As a float, for a number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(n.to_f64()),
            Value::Real(r) => Some(*r),
            _ => None,
        }
    }

    /// As an integer, for a whole number: 24, and 16 * 1.5 too.
    pub(crate) fn integer(&self) -> Option<Int> {
        // Beyond, floats skip whole numbers.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Value::Int(n) => Some(n.clone()),
            Value::Real(r) if r.fract() == 0.0 && r.abs() < EXACT => Some(Int::Small(*r as i64)),
            _ => None,
        }
    }

    /// As an integer of usual size, for a whole number.
    pub(crate) fn whole(&self) -> Option<i64> {
        self.integer().and_then(|n| n.to_i64())
    }

    /// What it is, in words: "the whole number 3".
    pub(crate) fn describe(&self) -> String {
        match self {
            Value::Tensor(_) => "a tensor".to_owned(),
            Value::Int(n) => format!("the whole number {n}"),
            Value::Real(r) => format!("the number {r:?}"),
            Value::Bool(b) => format!("`{b}`"),
            Value::Text(text) => format!("the string \"{text}\""),
            Value::List(values) => format!("a list of {}", values.len()),
            Value::Tuple(values) if values.is_empty() => "no value".to_owned(),
            Value::Tuple(values) => format!("a tuple of {}", values.len()),
            Value::Callable(_, name) if ops::find(name).is_some() => {
                format!("the operator `{name}`")
            }
            Value::Callable(_, name) => format!("the block `{name}`"),
            Value::Chosen(_) => "a value that a decision makes".to_owned(),
            Value::Poison(_) => "an unknown value".to_owned(),
        }
    }
}

/// Bytes of text that cost as much as a value.
pub(super) const BYTES: usize = 32;

/// The values of a list or a tuple.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    values: Rc<[Value]>,
    /// As [`Value::size`].
    size: usize,
    /// As [`Value::depth`].
    depth: usize,
}

impl From<Vec<Value>> for Values {
    fn from(values: Vec<Value>) -> Self {
        let (mut size, mut depth) = (1usize, 1);
        for value in &values {
            size = size.saturating_add(value.size());
            depth = depth.max(1 + value.depth());
            // It is too long anyway, and what tables hold is not known without a look.
            if size > MAX_LENGTH + 1 {
                break;
            }
        }
        Self { values: values.into(), size, depth }
    }
}

impl Deref for Values {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.values
    }
}

impl PartialEq for Value {
    /// Numbers compare by value, whether whole or not.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Tensor(a), Value::Tensor(b)) => a == b,
            (Value::Chosen(a), Value::Chosen(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => **a == **b,
            (Value::Callable(m, a), Value::Callable(n, b)) => m == n && a == b,
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(n) => write!(f, "{n}"),
            Value::Real(r) => write!(f, "{r}"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Text(text) => f.write_str(text),
            Value::List(values) => write!(f, "[{}]", Listed(values)),
            Value::Tuple(values) => write!(f, "({})", Listed(values)),
            other => f.write_str(&other.describe()),
        }
    }
}

/// Values with commas between them.
struct Listed<'v>(&'v [Value]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, value) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{value}")?;
        }
        Ok(())
    }
}

/// What flows into a step: values with the place where each was written.
pub(super) type Flow = Vec<(Value, Span)>;

/// The nodes of a tensor, or of a list or tuple of tensors.
pub(super) fn tensors(value: &Value) -> Option<Vec<NodeId>> {
    match value {
        Value::Tensor(node) => Some(vec![*node]),
        Value::List(values) | Value::Tuple(values) if !values.is_empty() => values
            .iter()
            .map(|value| if let Value::Tensor(node) = value { Some(*node) } else { None })
            .collect(),
        _ => None,
    }
}

/// Whether a value, or a part of it, is made by decisions.
pub(super) fn depends(value: &Value) -> bool {
    let mut selectors = Vec::new();
    selectors_in(value, &mut selectors);
    !selectors.is_empty()
}

/// Adds the selectors on which a value depends, each once.
pub(super) fn selectors_in(value: &Value, found: &mut Vec<Diagram>) {
    match value {
        Value::Chosen(table) if !found.contains(&table.selector()) => {
            found.push(table.selector());
        }
        Value::List(values) | Value::Tuple(values) => {
            values.iter().for_each(|value| selectors_in(value, found));
        }
        _ => {}
    }
}
