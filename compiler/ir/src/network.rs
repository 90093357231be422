//! One network of a space: every decision made, every shape a number.

use nas_diagnostics::fault;

use crate::costs::Cost;
use crate::dtype::Precision;
use crate::grid::Rounding;
use crate::id_vec::IdVec;
use crate::ops::{Op, Weight};
use crate::shape::Shape;
use crate::task::Task;
use crate::tensor_name::TensorName;

/// A network without decisions. Nodes stand in an order in which operands come first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Network {
    /// The name of the space that it comes from.
    pub space: String,
    /// What it is for.
    pub task: Option<Task>,
    /// What numbers it computes with where its nodes do not say otherwise.
    pub precision: Precision,
    /// Nanoseconds on the target, if it has a latency table.
    pub latency: Option<u64>,
    /// The decision paths and chosen candidates that made it, in order of appearance;
    /// decisions that the others make unreachable are left out.
    pub choices: Vec<(String, String)>,
    /// The nodes; an operand is an index into this list.
    pub nodes: Vec<NetworkNode>,
    /// The inputs.
    pub inputs: Vec<Port>,
    /// The outputs.
    pub outputs: Vec<Port>,
    /// What training adds.
    pub training: TrainingPart,
}

/// What a network has in training only, such as auxiliary heads. It is no part of what is costed,
/// exported or run: whoever does not train a network need not look at it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingPart {
    /// Its nodes; an operand is an index into the nodes of the network followed by these.
    pub nodes: Vec<NetworkNode>,
    /// Its outputs.
    pub outputs: Vec<TrainOutput>,
}

/// An output that training adds, with a loss of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOutput {
    /// Its name, and the node whose value it is, among the nodes of the network and the added ones.
    pub port: Port,
    /// By what its loss is multiplied.
    pub weight: f64,
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the source.
    pub name: String,
    /// The node whose value it is.
    pub node: usize,
}

/// One node of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkNode {
    /// Its path, the same as in the space: `unit.7/op=k3_e1/inverted_residual.0/conv.1`.
    pub name: String,
    /// What it does; `None` for an input.
    pub op: Option<Op>,
    /// The operands, in order: indices of earlier nodes.
    pub inputs: Vec<usize>,
    /// The shape of its value, batch aside.
    pub shape: Shape,
    /// The numbers that it computes with and that its value is made of; `None` for those of the network.
    pub precision: Option<Precision>,
    /// The paths of the nodes that a pass has folded into it: its value is that of the last one.
    pub folded: Vec<String>,
    /// What it rounds, where the network computes with integers.
    pub rounding: Rounding,
}

impl NetworkNode {
    /// A node of the network's precision, into which nothing is folded, and which rounds nothing.
    #[must_use]
    pub fn new(name: impl Into<String>, op: Option<Op>, inputs: Vec<usize>, shape: Shape) -> Self {
        let (precision, folded, rounding) = (None, Vec::new(), Rounding::default());
        Self { name: name.into(), op, inputs, shape, precision, folded, rounding }
    }

    /// The path of the node whose value it has.
    #[must_use]
    pub fn value_name(&self) -> &str {
        self.folded.last().unwrap_or(&self.name)
    }
}

/// A tensor of a network's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedWeight {
    /// What [`TensorName`] prints: `…/conv.1.weight`.
    pub name: String,
    /// What it holds and its sizes.
    pub weight: Weight,
}

impl Network {
    /// The node of an index, which may be one that training adds.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<&NetworkNode> {
        let added = || self.training.nodes.get(index.checked_sub(self.nodes.len())?);
        self.nodes.get(index).or_else(added)
    }

    /// How often each node is read by others, or is an output; what training adds aside.
    #[must_use]
    pub fn reads(&self) -> IdVec<usize, usize> {
        let mut reads = IdVec::filled(self.nodes.len(), 0);
        let operands = self.nodes.iter().flat_map(|node| &node.inputs);
        for &read in operands.chain(self.outputs.iter().map(|port| &port.node)) {
            reads[read] += 1;
        }
        reads
    }

    /// The shapes of a node's operands.
    #[must_use]
    pub fn operand_shapes(&self, node: &NetworkNode) -> Vec<Shape> {
        node.inputs.iter().map(|&operand| self.shape(operand)).collect()
    }

    /// The shape of the value at a port.
    #[must_use]
    pub fn port_shape(&self, port: &Port) -> Shape {
        self.shape(port.node)
    }

    fn shape(&self, index: usize) -> Shape {
        let node = self.node(index).unwrap_or_else(|| fault("a network without one of its nodes"));
        node.shape
    }

    /// The tensors of a node's parameters, named by its path.
    #[must_use]
    pub fn node_weights(&self, node: &NetworkNode) -> Vec<NamedWeight> {
        let Some(op) = &node.op else { return Vec::new() };
        op.weights(&self.operand_shapes(node))
            .into_iter()
            .map(|weight| NamedWeight {
                name: TensorName::new(&node.name, weight.role).to_string(),
                weight,
            })
            .collect()
    }

    /// The tensors of all parameters, in the order of the nodes.
    #[must_use]
    pub fn weights(&self) -> Vec<NamedWeight> {
        self.nodes.iter().flat_map(|node| self.node_weights(node)).collect()
    }

    /// The tensors of what training adds, in the order of the nodes.
    #[must_use]
    pub fn training_weights(&self) -> Vec<NamedWeight> {
        self.training.nodes.iter().flat_map(|node| self.node_weights(node)).collect()
    }

    /// What one node costs.
    #[must_use]
    pub fn node_cost(&self, node: &NetworkNode) -> Cost {
        let Some(op) = &node.op else { return Cost::default() };
        Cost::of(op, &self.operand_shapes(node), node.shape)
    }

    /// The numbers that a node computes with and that its value is made of.
    #[must_use]
    pub fn precision_of(&self, node: &NetworkNode) -> Precision {
        node.precision.unwrap_or(self.precision)
    }

    /// The same network without a word of what its nodes compute with: all compute with what the network does.
    #[must_use]
    pub fn in_one_precision(mut self) -> Self {
        let nodes = self.nodes.iter_mut().chain(&mut self.training.nodes);
        nodes.for_each(|node| node.precision = None);
        self
    }

    /// The bytes of all parameters, each as wide as the numbers that its node computes with.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        let bytes = |node: &NetworkNode| {
            self.node_cost(node).params.saturating_mul(self.precision_of(node).bytes())
        };
        self.nodes.iter().map(bytes).fold(0, u64::saturating_add)
    }

    /// What all nodes cost together.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.nodes.iter().map(|node| self.node_cost(node)).sum()
    }

    /// Whether every output depends on an input. A network of which one does not is *constant* there:
    /// it computes the same whatever it is given.
    #[must_use]
    pub fn reads_input(&self) -> bool {
        let mut reads: IdVec<usize, bool> = IdVec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let reads_own = match &node.op {
                None => true,
                Some(op) => op.reads_inputs() && node.inputs.iter().any(|&operand| reads[operand]),
            };
            reads.push(reads_own);
        }
        self.outputs.iter().all(|port| reads[port.node])
    }

    /// Operators with a kernel on the longest way to an output.
    #[must_use]
    pub fn depth(&self) -> u64 {
        let mut depths: IdVec<usize, u64> = IdVec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            // What reads nothing is not deep, nor is a network without outputs.
            let before = node.inputs.iter().map(|&input| depths[input]).max().unwrap_or(0);
            let own = node.op.as_ref().is_some_and(Op::has_kernel);
            depths.push(before + u64::from(own));
        }
        self.outputs.iter().map(|port| depths[port.node]).max().unwrap_or(0)
    }
}
