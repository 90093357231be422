//! A network cut into the blocks that the paths of its nodes name.

use std::cell::Cell;
use std::collections::BTreeSet;

use nas_ir::network::NetworkNode;
use nas_ir::{Network, fault};

use crate::python::{Written, written};

/// A block: what it does with values that it is given.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Its number among all blocks of the network; those within have lower ones.
    pub(crate) id: usize,
    /// What its block is called in the source: `mbconv`.
    pub(crate) name: String,
    /// What is done, in order.
    pub(crate) lines: Vec<Line>,
    /// How many values it is given.
    pub(crate) arguments: usize,
    /// What it answers with.
    pub(crate) answers: Vec<Value>,
}

/// A value that a line reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// An argument of the block.
    Argument(usize),
    /// An answer of an earlier line: its place, and which of its answers.
    Line(usize, usize),
}

/// Something that a block does.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// What it is called as an attribute of the module: `conv_bn_1`.
    pub(crate) attribute: String,
    /// What it is.
    pub(crate) what: What,
    /// What it reads.
    pub(crate) reads: Vec<Value>,
}

/// What a line is.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// An operator, and the path of its node.
    Operator(Written, String),
    /// A block within.
    Block(Block),
}

/// A part of the network before it is put in order: nodes, and parts that have a name.
#[derive(Default)]
struct Part {
    items: Vec<(String, Item)>,
}

enum Item {
    Node(usize),
    Part(Part),
}

impl Block {
    /// All blocks in it, and itself; those within come first.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let within = self.lines.iter().flat_map(|line| match &line.what {
            What::Block(block) => block.all(),
            What::Operator(..) => Vec::new(),
        });
        within.chain([self]).collect()
    }

    /// The whole network as one block.
    pub(crate) fn of(network: &Network) -> Self {
        let mut root = Part::default();
        for (index, node) in network.nodes.iter().enumerate() {
            if node.op.is_some() {
                let segments: Vec<&str> = node.name.split('/').collect();
                root.add(&segments, index);
            }
        }
        let given: Vec<usize> = network.inputs.iter().map(|port| port.node).collect();
        let answers: Vec<usize> = network.outputs.iter().map(|port| port.node).collect();
        Builder { network, blocks: Cell::new(0) }.block(&network.space, root, &given, &answers)
    }
}

impl Part {
    fn add(&mut self, segments: &[&str], node: usize) {
        match segments {
            [] => {}
            [name] => self.items.push(((*name).to_owned(), Item::Node(node))),
            [name, rest @ ..] => {
                let place = self
                    .items
                    .iter()
                    .position(|(own, item)| own == name && matches!(item, Item::Part(_)));
                let place = place.unwrap_or_else(|| {
                    self.items.push(((*name).to_owned(), Item::Part(Part::default())));
                    self.items.len() - 1
                });
                if let Some((_, Item::Part(part))) = self.items.get_mut(place) {
                    part.add(rest, node);
                }
            }
        }
    }

    fn nodes(&self) -> BTreeSet<usize> {
        let of_item = |(_, item): &(String, Item)| match item {
            Item::Node(node) => BTreeSet::from([*node]),
            Item::Part(part) => part.nodes(),
        };
        self.items.iter().flat_map(of_item).collect()
    }
}

struct Builder<'n> {
    network: &'n Network,
    /// How many blocks are done.
    blocks: Cell<usize>,
}

impl Builder<'_> {
    fn node(&self, index: usize) -> &NetworkNode {
        self.network.node(index).unwrap_or_else(|| fault("a network without one of its nodes"))
    }

    /// What a part reads of what is made outside of it, in the order in which it does.
    fn reads(&self, nodes: &BTreeSet<usize>) -> Vec<usize> {
        let mut reads = Vec::new();
        for &node in nodes {
            for &operand in &self.node(node).inputs {
                if !nodes.contains(&operand) && !reads.contains(&operand) {
                    reads.push(operand);
                }
            }
        }
        reads
    }

    /// What is read outside of a part of what it makes, in order.
    fn made(&self, nodes: &BTreeSet<usize>) -> Vec<usize> {
        let mut made = BTreeSet::new();
        for (index, node) in self.network.nodes.iter().enumerate() {
            if !nodes.contains(&index) {
                made.extend(node.inputs.iter().filter(|operand| nodes.contains(operand)));
            }
        }
        let outputs = self.network.outputs.iter().map(|port| port.node);
        made.extend(outputs.filter(|node| nodes.contains(node)));
        made.into_iter().collect()
    }

    /// Whether all that a part reads can be there before any of it is made.
    fn is_convex(&self, nodes: &BTreeSet<usize>) -> bool {
        let mut behind: BTreeSet<usize> = BTreeSet::new();
        for (index, node) in self.network.nodes.iter().enumerate() {
            let reads_behind = node.inputs.iter().any(|operand| behind.contains(operand));
            if nodes.contains(&index) {
                if reads_behind {
                    return false;
                }
            } else if reads_behind || node.inputs.iter().any(|operand| nodes.contains(operand)) {
                behind.insert(index);
            }
        }
        true
    }

    fn block(&self, name: &str, part: Part, given: &[usize], answers: &[usize]) -> Block {
        let mut lines: Vec<Line> = Vec::new();
        // For each node that is there, the value that it is.
        let mut values: Vec<(usize, Value)> =
            given.iter().enumerate().map(|(place, &node)| (node, Value::Argument(place))).collect();
        let mut items = self.flat(part);
        // In the order of the network: an item stands behind all that it reads.
        let mut taken = BTreeSet::new();
        while !items.is_empty() {
            let is_ready = |item: &Item| {
                let reads = match item {
                    Item::Node(node) => self.node(*node).inputs.clone(),
                    Item::Part(part) => self.reads(&part.nodes()),
                };
                reads.iter().all(|read| values.iter().any(|(node, _)| node == read))
            };
            let place = items.iter().position(|(_, item)| is_ready(item));
            let (segment, item) =
                items.remove(place.unwrap_or_else(|| fault("a block in a circle")));
            let attribute = attribute(&segment, &mut taken);
            let read = |nodes: &[usize], values: &[(usize, Value)]| -> Vec<Value> {
                let value = |node: &usize| values.iter().find(|(own, _)| own == node);
                nodes.iter().filter_map(value).map(|(_, value)| *value).collect()
            };
            let number = lines.len();
            let line = match item {
                Item::Node(index) => {
                    let node = self.node(index);
                    let op = node.op.as_ref().unwrap_or_else(|| fault("an input in a block"));
                    let what = written(op, &self.network.operand_shapes(node), node.shape);
                    let reads = read(&node.inputs, &values);
                    values.push((index, Value::Line(number, 0)));
                    Line { attribute, what: What::Operator(what, node.name.clone()), reads }
                }
                Item::Part(part) => {
                    let nodes = part.nodes();
                    let (given, made) = (self.reads(&nodes), self.made(&nodes));
                    let reads = read(&given, &values);
                    let block = self.block(block_name(&segment), part, &given, &made);
                    for (answer, node) in made.into_iter().enumerate() {
                        values.push((node, Value::Line(number, answer)));
                    }
                    line_of(attribute, block, reads)
                }
            };
            lines.push(line);
        }
        let answer = |node: &usize| {
            let value = values.iter().find(|(own, _)| own == node);
            value.map_or_else(|| fault("a block without its answer"), |(_, value)| *value)
        };
        let answers = answers.iter().map(answer).collect();
        let id = self.blocks.replace(self.blocks.get() + 1);
        Block { id, name: name.to_owned(), lines, arguments: given.len(), answers }
    }

    /// The items of a part; those of a part within that cannot be done at once stand for it.
    fn flat(&self, part: Part) -> Vec<(String, Item)> {
        let mut items = Vec::new();
        for (segment, item) in part.items {
            match item {
                Item::Part(inner) if !self.is_convex(&inner.nodes()) => {
                    for (name, item) in self.flat(inner) {
                        items.push((format!("{segment}/{name}"), item));
                    }
                }
                item => items.push((segment, item)),
            }
        }
        items
    }
}

/// A line that is a block, or what it does if that is one thing.
fn line_of(attribute: String, mut block: Block, reads: Vec<Value>) -> Line {
    let is_plain = |line: &Line| {
        let own = block.answers.as_slice();
        let all = (0..block.arguments).map(Value::Argument);
        own == [Value::Line(0, 0)] && line.reads.iter().copied().eq(all)
    };
    if block.lines.len() == 1 && block.lines.first().is_some_and(is_plain) {
        let inner = block.lines.remove(0);
        return Line { attribute, what: inner.what, reads };
    }
    Line { attribute, what: What::Block(block), reads }
}

/// The name of a block in a segment of a path: `mbconv` of `mbconv.0`, `k3_e1` of `op=k3_e1`.
fn block_name(segment: &str) -> &str {
    let last = segment.rsplit(['/', '=']).next().unwrap_or(segment);
    last.split('.').next().unwrap_or(last)
}

/// What a segment of a path is called as an attribute, unlike those that are taken.
fn attribute(segment: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name: String = segment
        .split('=')
        .next()
        .unwrap_or(segment)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || RESERVED.contains(&name.as_str()) {
        name.insert(0, '_');
    }
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// Names that mean something else to Python or to a module.
const RESERVED: [&str; 12] = [
    "from", "pass", "in", "is", "not", "for", "while", "type", "half", "float", "train", "forward",
];
