//! Spaces and networks as text.

use std::fmt::{self, Display};

use crate::ir::{Decision, Node, NodeKind, Space, Task};
use crate::network::Network;
use crate::ops::Op;

/// The text form of a space.
#[must_use]
pub fn print(space: &Space) -> String {
    let mut text = format!("space {}\n", Name(&space.name));
    text += &task(space.task);
    for (i, (id, decision)) in space.decision_ids().enumerate() {
        text += &format!("{}{id} = {}\n", if i == 0 { "\n" } else { "" }, Row(decision));
    }
    for (i, (id, node)) in space.graph.nodes().enumerate() {
        text += &format!("{}{id} = {}\n", if i == 0 { "\n" } else { "" }, line(node));
    }
    text
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
        text += &format!("{gap}n{i} = {what} {} : {}\n", Quoted(&node.name), node.shape);
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
        None => String::new(),
    }
}

fn line(node: &Node) -> String {
    let inputs = list(&node.inputs);
    let what = match &node.kind {
        NodeKind::Input => "input".to_owned(),
        NodeKind::Op(op) => operator(op, &inputs),
        NodeKind::Select(decision) => format!("select {decision} ({inputs})"),
        NodeKind::Output => format!("output ({inputs})"),
    };
    format!("{what} {} : {}", Quoted(&node.name), node.shape)
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
        let Decision { path, label, candidates, origin: _ } = self.0;
        let candidates = list(candidates.iter().map(|name| Name(name)));
        write!(f, "decision {} label {} [{candidates}]", Quoted(path), Quoted(label))
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
                _ => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}
