//! Spaces and networks as graphviz graphs.

use std::collections::HashSet;
use std::fmt::Display;

use super::brief;
use nas_grammar::visible::visible;

use super::print::Quoted;
use crate::network::Network;
use crate::node::{Node, NodeKind};
use crate::shape::Shape;
use crate::space::Space;
use crate::varied::Varied;

/// The graph in the language of graphviz: selects are diamonds, and the edges into them carry the
/// names of candidates.
#[must_use]
pub fn dot(space: &Space) -> String {
    let mut text = head(&space.name);
    for (id, node) in space.graph.nodes() {
        text += &match &node.kind {
            NodeKind::Input | NodeKind::Output => row(id, &node.name, &node.shape, PORT),
            NodeKind::TrainOutput { .. } => row(id, &node.name, &node.shape, TRAIN_PORT),
            NodeKind::Op(op) => row(id, &briefly(op, brief), &node.shape, ""),
            NodeKind::Select(_) => row(id, &node.name, &node.shape, ", shape = diamond"),
        };
        text += &operands(space, id, node);
    }
    text + "}\n"
}

/// The network in the language of graphviz.
#[must_use]
pub fn dot_network(network: &Network) -> String {
    let mut text = head(&network.space);
    for (i, node) in network.nodes.iter().enumerate() {
        let id = format!("n{i}");
        text += &match &node.op {
            Some(op) => row(&id, &brief(op), &Varied::Fixed(node.shape), ""),
            None => row(&id, &node.name, &Varied::Fixed(node.shape), PORT),
        };
        text += &edges(node.inputs.iter().map(|input| format!("n{input}")), &id);
    }
    for (i, port) in network.outputs.iter().enumerate() {
        let shape = network.nodes.get(port.node).map(|node| node.shape);
        let id = format!("output{i}");
        text +=
            &shape.map_or(String::new(), |shape| row(&id, &port.name, &Varied::Fixed(shape), PORT));
        text += &edges([format!("n{}", port.node)], &id);
    }
    text + "}\n"
}

/// How inputs and outputs differ from operators.
const PORT: &str = ", style = rounded";
/// How outputs differ that only training has.
const TRAIN_PORT: &str = ", style = \"rounded,dashed\"";

fn head(name: &str) -> String {
    format!("digraph {} {{\n    node [shape = box]\n", Quoted(&visible(name)))
}

fn row(id: impl Display, label: &str, shape: &Varied<Shape>, style: &str) -> String {
    let label = format!("{label}\n{}", briefly(shape, Shape::to_string));
    format!("    {id} [label = {}{style}]\n", Quoted(&visible(&label)))
}

/// All values, whatever selects among them.
fn briefly<T>(varied: &Varied<T>, brief: impl Fn(&T) -> String) -> String {
    varied.values().iter().map(brief).collect::<Vec<_>>().join(" | ")
}

/// The edges into a node: one for each candidate of a select, else one for each node that is read.
fn operands(space: &Space, id: impl Display, node: &Node) -> String {
    let decision = match &node.kind {
        NodeKind::Select(selector) => space.selectors.as_choice(*selector),
        NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } | NodeKind::Op(_) => None,
    };
    let Some(decision) = decision.and_then(|decision| space.decision(decision)) else {
        return edges(&node.inputs, id);
    };
    let names = &decision.candidates;
    let edge = |(operand, name): (_, &String)| {
        format!("    {operand} -> {id} [label = {}]\n", Quoted(&visible(name)))
    };
    node.inputs.iter().zip(names).map(edge).collect()
}

fn edges(operands: impl IntoIterator<Item = impl Display>, id: impl Display) -> String {
    let mut drawn = HashSet::new();
    let edge = |operand: String| format!("    {operand} -> {id}\n");
    let operands = operands.into_iter().map(|operand| operand.to_string());
    operands.filter(|operand| drawn.insert(operand.clone())).map(edge).collect()
}
