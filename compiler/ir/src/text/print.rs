//! Spaces and networks as text.

use std::fmt::{self, Display};

use indexmap::IndexSet;

use nas_grammar::visible::is_hidden;

use crate::decision::{Choice, Decision};
use crate::device::Device;
use crate::diagram::{Diagram, Top};
use crate::dtype::Precision;
use crate::limit::Limit;
use crate::network::Network;
use crate::node::{Node, NodeKind};
use crate::ops::Op;
use crate::quantity::{Count, Order, Quantity};
use crate::shape::Shape;
use crate::space::Space;
use crate::task::Task;
use crate::varied::Varied;

/// The text form of a space.
#[must_use]
pub fn print(space: &Space) -> String {
    let mut text = format!("space {}\n", Name(&space.name));
    text += &task(space.task);
    text += &device(&space.device);
    for requirement in &space.requirements {
        text += &format!("require {}\n", limit(&requirement.limit));
    }
    for (i, (id, decision)) in space.decision_ids().enumerate() {
        text += &format!("{}{id} = {}\n", if i == 0 { "\n" } else { "" }, Row(decision));
    }
    let tables = Tables::of(space);
    for (i, row) in tables.rows.iter().enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        text += &format!("{gap}t{i} = {}\n", tables.row(space, *row));
    }
    for (i, (id, node)) in space.graph.nodes().enumerate() {
        let line = line(node, &tables, space);
        text += &format!("{}{id} = {line}\n", if i == 0 { "\n" } else { "" });
    }
    text
}

/// The rows of diagrams that the text names: those that are more than one decision's choice.
struct Tables {
    rows: IndexSet<Diagram>,
}

impl Tables {
    fn of(space: &Space) -> Self {
        let mut tables = Self { rows: IndexSet::new() };
        for (_, node) in space.graph.nodes() {
            for selector in node.selectors().chain(node.shape.selector()) {
                if space.selectors.as_choice(selector).is_none() {
                    tables.add(space, selector);
                }
            }
        }
        tables
    }

    /// A row after those that it names.
    fn add(&mut self, space: &Space, selector: Diagram) {
        let mut open = vec![(selector, false)];
        while let Some((row, is_done)) = open.pop() {
            let Top::Branch(_, children) = space.selectors.top(row) else { continue };
            if is_done {
                self.rows.insert(row);
            } else if !self.rows.contains(&row) {
                open.push((row, true));
                open.extend(children.iter().rev().map(|&child| (child, false)));
            }
        }
    }

    /// `by d1 [t0, 1]`
    fn row(&self, space: &Space, row: Diagram) -> String {
        match space.selectors.top(row) {
            Top::Leaf(index) => index.to_string(),
            Top::Branch(decision, children) => {
                let children = children.iter().map(|&child| match space.selectors.leaf(child) {
                    Some(index) => index.to_string(),
                    None => self.name(space, child),
                });
                format!("by {decision} [{}]", list(children))
            }
        }
    }

    /// `d3` for the choice of a decision, `t0` for a row.
    fn name(&self, space: &Space, selector: Diagram) -> String {
        match (self.rows.get_index_of(&selector), space.selectors.as_choice(selector)) {
            (Some(row), _) => format!("t{row}"),
            (None, Some(decision)) => decision.to_string(),
            (None, None) => self.row(space, selector),
        }
    }

    /// A value, or all of them with what selects one: `d1 {a | b}`.
    fn varied<T>(&self, space: &Space, varied: &Varied<T>, print: impl Fn(&T) -> String) -> String {
        match (varied.selector(), varied.values()) {
            (None, [only]) => print(only),
            (selector, values) => {
                let selector = selector.map(|by| self.name(space, by)).unwrap_or_default();
                let values: Vec<String> = values.iter().map(print).collect();
                format!("{selector} {{{}}}", values.join(" | "))
            }
        }
    }
}

/// The text form of a network: its choices, its nodes, its outputs.
#[must_use]
pub fn print_network(network: &Network) -> String {
    let mut text = format!("network of {}\n", Name(&network.space));
    text += &task(network.task);
    for (i, (path, candidate)) in network.choices.iter().enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        text += &format!("{gap}choice {} = {}\n", Quoted(path), Name(candidate));
    }
    for (i, node) in network.nodes.iter().enumerate() {
        let what = match &node.op {
            Some(op) => operator(op, &list(node.inputs.iter().map(|input| format!("n{input}")))),
            None => "input".to_owned(),
        };
        let gap = if i == 0 { "\n" } else { "" };
        let precision = node.precision.map(|precision| format!(" in {}", precision.name()));
        let precision = precision.unwrap_or_default();
        text += &format!("{gap}n{i} = {what} {} : {}{precision}\n", Quoted(&node.name), node.shape);
    }
    for (i, port) in network.outputs.iter().enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        text += &format!("{gap}output {} = n{}\n", Quoted(&port.name), port.node);
    }
    text
}

fn task(task: Option<Task>) -> String {
    match task {
        Some(Task::Segmentation { classes, ignore }) => {
            format!("task segmentation(classes = {classes}, ignore = {ignore})\n")
        }
        Some(Task::Classification { classes }) => {
            format!("task classification(classes = {classes})\n")
        }
        Some(Task::Multilabel { classes }) => format!("task multilabel(classes = {classes})\n"),
        Some(Task::Regression { values }) => format!("task regression(values = {values})\n"),
        None => String::new(),
    }
}

/// `1 * macs + -30 * count op [skip] <= 0`
fn limit(limit: &Limit) -> String {
    let term = |(quantity, factor): &(Quantity, i128)| match quantity {
        Quantity::Measure(measure) => format!("{factor} * {}", measure.name()),
        Quantity::Count(Count { label, candidates }) => {
            let candidates = list(candidates.iter().map(|name| Name(name)));
            format!("{factor} * count {} [{candidates}]", Name(label))
        }
        Quantity::Breaks(Order { label, is_decreasing }) => {
            let order = if *is_decreasing { "decreasing" } else { "increasing" };
            format!("{factor} * breaks {order} {}", Name(label))
        }
    };
    let terms: Vec<String> = limit.form.0.iter().map(term).collect();
    format!("{} <= {}", terms.join(" + "), limit.most)
}

/// What is not as without a target.
fn device(device: &Device) -> String {
    let mut text = String::new();
    if device.precision != Precision::default() {
        text += &format!("precision {}\n", device.precision.name());
    }
    if let Some(opset) = device.opset {
        text += &format!("opset {opset}\n");
    }
    if let Some(bytes) = device.memory {
        text += &format!("memory {bytes}\n");
    }
    text
}

fn line(node: &Node, tables: &Tables, space: &Space) -> String {
    let inputs = list(&node.inputs);
    let what = match &node.kind {
        NodeKind::Input => "input".to_owned(),
        NodeKind::Op(op) => match op.fixed() {
            Some(op) => operator(op, &inputs),
            None => {
                let ops = tables.varied(space, op, |op| operator(op, ""));
                format!("op {ops} ({inputs})")
            }
        },
        NodeKind::Select(selector) => {
            format!("select {} ({inputs})", tables.name(space, *selector))
        }
        NodeKind::Output => format!("output ({inputs})"),
        NodeKind::TrainOutput { weight } => {
            format!("train output ({inputs}) {{weight = {weight:?}}}")
        }
    };
    let shape = tables.varied(space, &node.shape, Shape::to_string);
    let name = |precision: &Precision| precision.name().to_owned();
    let precision = node.precision.as_ref();
    let precision = precision.map(|it| format!(" in {}", tables.varied(space, it, name)));
    format!("{what} {} : {shape}{}", Quoted(&node.name), precision.unwrap_or_default())
}

/// An operator with its operands and every argument, defaults included.
fn operator(op: &Op, operands: &str) -> String {
    let name = op.declaration().name;
    let arguments = op.arguments();
    let arguments = list(arguments.iter().map(|(name, value)| format!("{name} = {value}")));
    if arguments.is_empty() {
        format!("{name}({operands})")
    } else {
        format!("{name}({operands}) {{{arguments}}}")
    }
}

fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

struct Row<'d>(&'d Decision);

impl Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { path, label, choice, candidates, origin: _ } = self.0;
        let candidates = list(candidates.iter().map(|name| Name(name)));
        write!(f, "decision {} label {} ", Quoted(path), Quoted(label))?;
        match choice {
            Choice::Parts => {}
            Choice::Values => f.write_str("values ")?,
            Choice::Elastic => f.write_str("elastic ")?,
            Choice::Sets { options, take } => {
                write!(f, "{take} of [{}] ", list(options.iter().map(|name| Name(name))))?;
            }
        }
        write!(f, "[{candidates}]")
    }
}

/// As it is where it is one word, else in quotes.
struct Name<'t>(&'t str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && self.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_word { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

/// In quotes, on one line.
pub(super) struct Quoted<'t>(pub(super) &'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                _ if is_hidden(c) => write!(f, "{}", c.escape_unicode())?,
                _ => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}
