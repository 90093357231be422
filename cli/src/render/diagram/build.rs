//! From a space or a network to boxes and arrows.

use std::collections::{BTreeMap, BTreeSet};

use nas_analysis::owners::owners;
use nas_ir::measure::grouped;
use nas_ir::text::brief;
use nas_ir::{
    Checked, Cost, DecisionId, IdVec, Network, NodeId, NodeKind, Op, Pick, Shape, Space, Varied,
};

use crate::render::report::counted;

use super::boxes::{Block, Content, Diagram};

/// A node that is drawn.
struct Vertex<'g> {
    what: What,
    path: &'g str,
    /// The vertices that it reads, each once.
    inputs: Vec<usize>,
    /// In words: what it is in each case.
    shape: String,
}

enum What {
    Port,
    /// An output that only training has.
    TrainPort,
    /// An operator in short, and whether that is its name alone.
    Op(String, bool),
    Choice(Vec<String>),
}

impl What {
    fn op(op: &Varied<Op>) -> Self {
        let text = in_words(op, brief);
        let is_plain = text == op.name();
        What::Op(text, is_plain)
    }
}

/// The cases of something that may depend on decisions.
fn in_words<T>(varied: &Varied<T>, words: impl Fn(&T) -> String) -> String {
    varied.values().iter().map(words).collect::<Vec<_>>().join(" | ")
}

/// `16×32×32`
fn sizes(shape: &Shape) -> String {
    shape.dims().iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// The diagram of a space: the chain of its layers, each choice one box.
#[must_use]
pub fn of_space(space: &Checked<Space>) -> Diagram {
    let candidates: usize = space.decisions.iter().map(|d| d.candidates.len()).sum();
    let decisions = counted(space.decisions.len(), "decision");
    let figures = format!("{decisions}, {}", counted(candidates, "candidate"));
    diagram(&space.name, figures, &space_vertices(space))
}

/// The diagram of a network, titled by its name.
#[must_use]
pub fn of_network(network: &Network, name: &str) -> Diagram {
    let Cost { macs, params } = network.cost();
    let figures = format!("{} MACs, {} parameters", grouped(macs), grouped(params));
    let title = format!("{name} of {}", network.space);
    diagram(&title, figures, &network_vertices(network))
}

/// The nodes that are there whatever the decisions, and those of train outputs. They read each other through what is inside
/// candidates.
fn space_vertices(space: &Checked<Space>) -> Vec<Vertex<'_>> {
    let owners = owners(space);
    let inner = inner_decisions(space, &owners);
    let mut vertices = Vec::new();
    let mut sources: Vec<BTreeSet<usize>> = Vec::with_capacity(owners.len());
    let train_only = space.graph.train_only();
    for (id, node) in space.graph.nodes() {
        let read = node.inputs.iter().filter_map(|input| sources.get(input.index()));
        let read: BTreeSet<usize> = read.flatten().copied().collect();
        if !train_only[id] && owners[id].as_ref().is_none_or(|owners| !owners.is_empty()) {
            sources.push(read);
            continue;
        }
        let (what, path) = match &node.kind {
            NodeKind::Input | NodeKind::Output => (What::Port, &node.name),
            NodeKind::TrainOutput { .. } => (What::TrainPort, &node.name),
            NodeKind::Op(op) => (What::op(op), &node.name),
            NodeKind::Select(selector) => match space.selectors.as_choice(*selector) {
                Some(id) => {
                    let path = space.decision(id).map_or(&node.name, |decision| &decision.path);
                    (What::Choice(candidates(space, id, &inner)), path)
                }
                None => {
                    let operands = node.inputs.iter().filter_map(|&id| space.graph.node(id));
                    let names = operands.map(|operand| operand.name.clone()).collect();
                    (What::Choice(names), &node.name)
                }
            },
        };
        sources.push(BTreeSet::from([vertices.len()]));
        let inputs = read.into_iter().collect();
        let shape = in_words(&node.shape, sizes);
        vertices.push(Vertex { what, path, inputs, shape });
    }
    vertices
}

/// The decisions inside each candidate.
fn inner_decisions(
    space: &Space,
    owners: &IdVec<NodeId, Option<BTreeSet<Pick>>>,
) -> BTreeMap<Pick, BTreeSet<DecisionId>> {
    let mut inner: BTreeMap<Pick, BTreeSet<DecisionId>> = BTreeMap::new();
    for (id, node) in space.graph.nodes() {
        let NodeKind::Select(selector) = node.kind else { continue };
        let Some(decision) = space.selectors.as_choice(selector) else { continue };
        for owner in owners[id].iter().flatten() {
            inner.entry(*owner).or_default().insert(decision);
        }
    }
    inner
}

/// The candidates of a decision, with what is to be decided inside each.
fn candidates(
    space: &Space,
    id: DecisionId,
    inner: &BTreeMap<Pick, BTreeSet<DecisionId>>,
) -> Vec<String> {
    let names = space.decision(id).into_iter().flat_map(|decision| &decision.candidates);
    let text = |(row, name): (usize, &String)| {
        let labels: Vec<&str> = inner
            .get(&(id, row))
            .into_iter()
            .flatten()
            .filter_map(|inner| space.decision(*inner).map(|decision| decision.label.as_str()))
            .collect();
        match labels.as_slice() {
            [] => name.clone(),
            [label] => format!("{name}: choose {label}"),
            labels => format!("{name}: {} choices", labels.len()),
        }
    };
    names.enumerate().map(text).collect()
}

fn network_vertices(network: &Network) -> Vec<Vertex<'_>> {
    let nodes = network.nodes.iter().map(|node| Vertex {
        what: match &node.op {
            Some(op) => What::op(&Varied::Fixed(op.clone())),
            None => What::Port,
        },
        path: &node.name,
        inputs: node.inputs.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
        shape: sizes(&node.shape),
    });
    let outputs = network.outputs.iter().filter_map(|port| {
        let shape = sizes(&network.nodes.get(port.node)?.shape);
        Some(Vertex { what: What::Port, path: &port.name, inputs: vec![port.node], shape })
    });
    nodes.chain(outputs).collect()
}

fn diagram(title: &str, figures: String, vertices: &[Vertex<'_>]) -> Diagram {
    let mut readers = vec![0_usize; vertices.len()];
    for input in vertices.iter().flat_map(|vertex| &vertex.inputs) {
        if let Some(count) = readers.get_mut(*input) {
            *count += 1;
        }
    }
    let mut boxes: Vec<Block> = Vec::new();
    let mut arrows = Vec::new();
    let mut place: Vec<usize> = Vec::with_capacity(vertices.len());
    for vertex in vertices {
        if let [input] = vertex.inputs[..]
            && readers.get(input) == Some(&1)
            && let Some(&row) = place.get(input)
            && boxes.get_mut(row).is_some_and(|block| extend(block, vertex))
        {
            place.push(row);
            continue;
        }
        let from = vertex.inputs.iter().filter_map(|&input| place.get(input).copied());
        arrows.extend(from.map(|from| (from, boxes.len())));
        place.push(boxes.len());
        boxes.push(Block { content: content(vertex), shape: vertex.shape.clone() });
    }
    Diagram { title: title.to_owned(), figures, boxes, arrows }
}

fn content(vertex: &Vertex<'_>) -> Content {
    match &vertex.what {
        What::Port => Content::Port(vertex.path.to_owned()),
        What::TrainPort => Content::Port(format!("{}, in training", vertex.path)),
        What::Op(text, _) => {
            let path = block(vertex.path).to_owned();
            let is_chosen = path.contains('=');
            Content::Layers { path, lines: vec![text.clone()], is_chosen }
        }
        What::Choice(candidates) => {
            Content::Choice { path: vertex.path.to_owned(), candidates: candidates.clone() }
        }
    }
}

/// Adds an operator to the layers of the same block. One without arguments that keeps the shape
/// goes on the line of the operator before it.
fn extend(block: &mut Block, vertex: &Vertex<'_>) -> bool {
    let (Content::Layers { path, lines, .. }, What::Op(text, is_plain)) =
        (&mut block.content, &vertex.what)
    else {
        return false;
    };
    if path != self::block(vertex.path) {
        return false;
    }
    match lines.last_mut() {
        Some(last) if *is_plain && block.shape == vertex.shape => {
            *last += &format!(" · {text}");
        }
        _ => lines.push(text.clone()),
    }
    block.shape = vertex.shape.clone();
    true
}

/// The block of a path that is worth a box: up to the innermost candidate, or the outermost block.
fn block(path: &str) -> &str {
    let chosen = path.rfind('=').unwrap_or(0);
    let end = path.get(chosen..).and_then(|rest| rest.find('/'));
    end.and_then(|end| path.get(..chosen + end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use nas_grammar::Source;

    use super::*;

    /// The boxes of the space `s`, without their shapes, and the arrows.
    fn drawn(text: &str) -> (Vec<Content>, Vec<(usize, usize)>) {
        let space = nas_testing::space(Source::new("s.nas", text));
        let Diagram { boxes, arrows, .. } = of_space(&space);
        (boxes.into_iter().map(|block| block.content).collect(), arrows)
    }

    fn port(name: &str) -> Content {
        Content::Port(name.to_owned())
    }

    #[test]
    fn a_choice_inside_a_candidate_is_named_at_the_candidate() {
        let (contents, arrows) = drawn(
            "block inner(x) { x -> choose kernel { a: conv(4, kernel = 3), b: conv(4, kernel = 5) } }\n\
             space s {\n    input x: [4, 8, 8]\n    \
             output y = x -> choose op { plain: conv(4, kernel = 1), deep: inner }\n}\n",
        );
        let candidates = vec!["plain".to_owned(), "deep: choose kernel".to_owned()];
        let choice = Content::Choice { path: "op".to_owned(), candidates };
        assert_eq!(contents, [port("x"), choice, port("y")]);
        assert_eq!(arrows, [(0, 1), (1, 2)]);
    }

    #[test]
    fn what_only_training_has_is_drawn_beside_the_network() {
        let (contents, arrows) = drawn(
            "space s {\n    input x: [4, 8, 8]\n    output y = x -> relu\n    \
             train output aux = x -> sigmoid\n}\n",
        );
        let layer = |op: &str| {
            let (path, lines) = (String::new(), vec![op.to_owned()]);
            Content::Layers { path, lines, is_chosen: false }
        };
        let expected =
            [port("x"), layer("relu"), port("y"), layer("sigmoid"), port("aux, in training")];
        assert_eq!(contents, expected);
        assert_eq!(arrows, [(0, 1), (1, 2), (0, 3), (3, 4)]);
    }
}
