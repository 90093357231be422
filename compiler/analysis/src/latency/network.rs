//! A case of a group of nodes as a network of its own.

use std::collections::BTreeMap;

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::network::{NetworkNode, Port};
use nas_ir::ops::{Yields, Zero};
use nas_ir::{
    Assignment, IdVec, Network, Node, NodeId, NodeKind, Op, Precision, Shape, Space, fault,
};
use nas_passes::space::simplify::Left;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// A space with what is known of its nodes.
#[derive(Clone, Copy)]
pub(super) struct View<'s> {
    pub(super) space: &'s Space,
    pub(super) conditions: &'s Selectors,
    /// For each node, when it is part of a network.
    pub(super) alive: &'s IdVec<NodeId, Diagram>,
    /// For each node, when its value is zeros, which a sum leaves out.
    pub(super) zero: &'s IdVec<NodeId, Diagram>,
}

impl View<'_> {
    /// Whether a node is part of any network.
    fn is_used(&self, id: NodeId) -> bool {
        self.conditions.leaf(self.alive[id]) != Some(&0)
    }

    fn holds(
        &self,
        conditions: &IdVec<NodeId, Diagram>,
        id: NodeId,
        assignment: &Assignment,
    ) -> bool {
        *self.conditions.value(conditions[id], assignment) == 1
    }
}

/// Which tensors of a part are those of the whole network, by the ports of the part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ends {
    /// Whether each input is one of the network.
    pub(super) inputs: Vec<bool>,
    /// Whether each output is one of the network, and nothing else reads it.
    pub(super) outputs: Vec<bool>,
}

/// What is left of `nodes` under an assignment, as [`nas_passes::specialise()`] leaves it: selects
/// resolved, without what computes nothing; and without what only training sees. What the nodes read from outside are
/// inputs, what others read of them are outputs. Names say nothing of where the nodes stand; `None`
/// if nothing is left.
pub(super) fn network(
    view: View<'_>,
    nodes: &[NodeId],
    assignment: &Assignment,
) -> Option<(Network, Ends)> {
    let mut builder = Builder { view, assignment, values: HashMap::default(), nodes: Vec::new() };
    for &id in nodes {
        if view.holds(view.alive, id, assignment)
            && let Some(value) = builder.value(id, &view.space.graph[id])
        {
            builder.values.insert(id, value);
        }
    }
    builder.finish(nodes)
}

/// The value of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Value {
    /// Zeros, which are made where something other than a sum reads them.
    Zeros(Shape),
    /// The value of a node outside.
    Outside(NodeId),
    /// The value of a node of the network.
    Made(usize),
}

/// A node of the network, its operands still as values.
struct Made {
    op: Op,
    operands: Vec<Value>,
    shape: Shape,
    precision: Option<Precision>,
}

struct Builder<'s> {
    view: View<'s>,
    assignment: &'s Assignment,
    values: HashMap<NodeId, Value>,
    nodes: Vec<Made>,
}

impl Builder<'_> {
    /// The value of an operand; one that is not known here is made outside.
    fn operand(&self, id: NodeId) -> Value {
        self.values.get(&id).copied().unwrap_or(Value::Outside(id))
    }

    fn shape(&self, id: NodeId) -> Shape {
        let space = self.view.space;
        *space.graph[id].shape.get(&space.selectors, self.assignment)
    }

    /// The value of a node; `None` for what is not measured.
    fn value(&mut self, id: NodeId, node: &Node) -> Option<Value> {
        let selectors = &self.view.space.selectors;
        let op = match &node.kind {
            NodeKind::Op(op) => op.get(selectors, self.assignment),
            NodeKind::Select(selector) => {
                let taken = node.inputs.get(*selectors.value(*selector, self.assignment) as usize);
                let taken = taken.unwrap_or_else(|| fault("a select that takes no operand"));
                return Some(self.operand(*taken));
            }
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => return None,
        };
        // Outside of training, more than `identity` is its operand.
        if matches!(op.yields(), Yields::Operand | Yields::OperandButInTraining) {
            let operand = node.inputs.first();
            return Some(self.operand(*operand.unwrap_or_else(|| fault("a value of nothing"))));
        }
        let shape = self.shape(id);
        let is_zeros = |&id: &NodeId| self.view.holds(self.view.zero, id, self.assignment);
        match Left::of(op, &node.inputs, is_zeros) {
            Left::Zeros => Some(Value::Zeros(shape)),
            Left::Operand(only) if is_zeros(only) => Some(Value::Zeros(shape)),
            Left::Operand(&only) => Some(self.operand(only)),
            Left::Operator(operands) => {
                let operands = operands.into_iter().map(|&id| self.operand(id)).collect();
                let precision = node.precision.as_ref();
                let precision = precision.map(|of| *of.get(selectors, self.assignment));
                self.nodes.push(Made { op: op.clone(), operands, shape, precision });
                Some(Value::Made(self.nodes.len() - 1))
            }
        }
    }

    /// The nodes of the network whose values are read outside, in order; for each, whether only the
    /// outputs of the space read it.
    fn results(&self, nodes: &[NodeId]) -> BTreeMap<usize, bool> {
        let inside: HashSet<NodeId> = nodes.iter().copied().collect();
        let graph = &self.view.space.graph;
        let mut results = BTreeMap::new();
        for &id in nodes {
            let Some(Value::Made(index)) = self.values.get(&id) else { continue };
            for by in graph.consumers(id) {
                if !inside.contains(&by) && self.view.is_used(by) {
                    let is_end = matches!(graph[by].kind, NodeKind::Output);
                    *results.entry(*index).or_insert(true) &= is_end;
                }
            }
        }
        results
    }

    fn finish(self, nodes: &[NodeId]) -> Option<(Network, Ends)> {
        let results = self.results(nodes);
        if results.is_empty() {
            return None;
        }
        let mut writer = Writer::default();
        for (index, made) in self.nodes.iter().enumerate() {
            let operands = made.operands.iter().map(|&operand| match operand {
                Value::Outside(id) => {
                    let is_end = matches!(self.view.space.graph[id].kind, NodeKind::Input);
                    writer.outside(id, self.shape(id), is_end)
                }
                Value::Zeros(shape) => writer.push(Some(Op::Zero(Zero)), Vec::new(), shape, None),
                Value::Made(index) => writer.made(index),
            });
            let inputs = operands.collect();
            let place = writer.push(Some(made.op.clone()), inputs, made.shape, made.precision);
            writer.places.insert(Value::Made(index), place);
        }
        let outputs = results.keys().map(|&index| writer.made(index)).enumerate();
        let outputs = outputs.map(|(i, node)| Port { name: format!("output.{i}"), node }).collect();
        let ends = Ends { inputs: writer.ends, outputs: results.into_values().collect() };
        let network = Network {
            space: self.view.space.name.clone(),
            precision: self.view.space.device.precision,
            nodes: writer.nodes,
            inputs: writer.inputs,
            outputs,
            ..Network::default()
        };
        Some((network, ends))
    }
}

/// The network while it is written.
#[derive(Default)]
struct Writer {
    places: HashMap<Value, usize>,
    nodes: Vec<NetworkNode>,
    inputs: Vec<Port>,
    /// For each input, whether it is one of the space.
    ends: Vec<bool>,
}

impl Writer {
    fn push(
        &mut self,
        op: Option<Op>,
        inputs: Vec<usize>,
        shape: Shape,
        precision: Option<Precision>,
    ) -> usize {
        let index = self.nodes.len();
        let name = match &op {
            Some(op) => format!("{}.{index}", op.declaration().name),
            None => format!("input.{}", self.inputs.len()),
        };
        let node = NetworkNode::new(name, op, inputs, shape);
        self.nodes.push(NetworkNode { precision, ..node });
        index
    }

    /// Where a node stands that was made before.
    fn made(&self, index: usize) -> usize {
        let place = self.places.get(&Value::Made(index));
        *place.unwrap_or_else(|| fault("a part that reads what it has not made"))
    }

    /// The input that stands for a node outside.
    fn outside(&mut self, id: NodeId, shape: Shape, is_end: bool) -> usize {
        if let Some(&place) = self.places.get(&Value::Outside(id)) {
            return place;
        }
        let node = self.push(None, Vec::new(), shape, None);
        let name = format!("input.{}", self.inputs.len());
        self.inputs.push(Port { name, node });
        self.ends.push(is_end);
        self.places.insert(Value::Outside(id), node);
        node
    }
}
