//! One network of a space: every decision made, every shape a number.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::ir::Task;
use crate::measure::Measure;
use crate::ops::{Op, Weight};
use crate::peak::peak;
use crate::shape::Shape;
use crate::target::Precision;

/// A network without decisions. Nodes stand in an order in which operands come first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Network {
    /// The name of the space that it comes from.
    pub space: String,
    /// What it is for.
    pub task: Option<Task>,
    /// What numbers it computes with.
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
}

/// A tensor of a network's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWeight {
    /// Node path and tensor name: `…/conv.1.weight`.
    pub name: String,
    /// What it holds and its sizes.
    pub weight: Weight,
}

/// What a layer costs for batch 1, or several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Cost {
    /// Multiply-accumulates of convolutions, transposed ones and linear layers, nothing else.
    pub macs: u64,
    /// Trainable parameters: kernels, biases, scale and shift of batch norm, slopes.
    pub params: u64,
}

impl Cost {
    /// What an operator costs on operands of these shapes.
    pub(crate) fn of(op: &Op, inputs: &[Shape], output: Shape) -> Self {
        // INVARIANT: the checker proved that the sums over the whole space fit into u64.
        let fit = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
        Self { macs: fit(op.macs(inputs, output)), params: fit(op.params(inputs)) }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.macs = self.macs.saturating_add(other.macs);
        self.params = self.params.saturating_add(other.params);
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |mut sum, cost| {
            sum += cost;
            sum
        })
    }
}

/// What a network costs for batch 1, in every measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Costs {
    /// Multiply-accumulates of convolutions, transposed ones and linear layers, nothing else.
    pub macs: u64,
    /// Trainable parameters: kernels, biases, scale and shift of batch norm, slopes.
    pub params: u64,
    /// Bytes of the parameters, each a number of the target's precision.
    pub weight_bytes: u64,
    /// The most bytes of activations that are alive at once, as [`peak`] counts them.
    pub peak_memory: u64,
    /// Whether the peak may be lower: then no better order of the operators was found, and none was
    /// ruled out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub peak_memory_is_bound: bool,
    /// Nanoseconds on the target, if it has a latency table. JSON has seconds.
    #[serde(with = "seconds")]
    pub latency: Option<u64>,
    /// Convolutions, transposed ones and linear layers on the longest way to an output.
    pub depth: u64,
}

impl Costs {
    /// The figure of a measure; `None` for a latency that no table tells.
    #[must_use]
    pub fn of(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Macs => Some(self.macs),
            Measure::Params => Some(self.params),
            Measure::WeightBytes => Some(self.weight_bytes),
            Measure::PeakMemory => Some(self.peak_memory),
            Measure::Latency => self.latency,
            Measure::Depth => Some(self.depth),
        }
    }
}

/// Nanoseconds as seconds, the unit of the language.
mod seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::ref_option, reason = "serde asks for this signature")]
    pub(super) fn serialize<S: Serializer>(
        nanoseconds: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        nanoseconds.map(|n| n as f64 / 1e9).serialize(serializer)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        Ok(seconds.map(|seconds| (seconds * 1e9).round() as u64))
    }
}

impl Network {
    /// The node of an index, which may be one that training adds.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<&NetworkNode> {
        let added = || self.training.nodes.get(index.checked_sub(self.nodes.len())?);
        self.nodes.get(index).or_else(added)
    }

    /// The shapes of a node's operands.
    #[must_use]
    pub fn operand_shapes(&self, node: &NetworkNode) -> Vec<Shape> {
        node.inputs.iter().filter_map(|&i| self.node(i)).map(|n| n.shape).collect()
    }

    /// The tensors of a node's parameters, named by its path.
    #[must_use]
    pub fn node_weights(&self, node: &NetworkNode) -> Vec<NamedWeight> {
        let Some(op) = &node.op else { return Vec::new() };
        op.weights(&self.operand_shapes(node))
            .into_iter()
            .map(|weight| NamedWeight {
                name: format!("{}.{}", node.name, weight.role.tensor_name()),
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

    /// What all nodes cost together.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.nodes.iter().map(|node| self.node_cost(node)).sum()
    }

    /// What the network costs, in every measure.
    #[must_use]
    pub fn costs(&self) -> Costs {
        let peak = peak(self);
        Costs {
            peak_memory: peak.at_most,
            peak_memory_is_bound: peak.exact().is_none(),
            ..self.costs_without_peak()
        }
    }

    /// As [`Network::costs`], without the search for the best order of the operators, which takes
    /// longer than all else: nothing is known of the peak.
    #[must_use]
    pub(crate) fn costs_without_peak(&self) -> Costs {
        let Cost { macs, params } = self.cost();
        Costs {
            macs,
            params,
            weight_bytes: params.saturating_mul(self.precision.bytes()),
            peak_memory: u64::MAX,
            peak_memory_is_bound: true,
            latency: self.latency,
            depth: self.depth(),
        }
    }

    /// Operators with a kernel on the longest way to an output.
    pub(crate) fn depth(&self) -> u64 {
        let mut depths: Vec<u64> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let before = node.inputs.iter().filter_map(|&input| depths.get(input).copied()).max();
            let own = node.op.as_ref().is_some_and(Op::has_kernel);
            depths.push(before.unwrap_or(0) + u64::from(own));
        }
        let ends = self.outputs.iter().filter_map(|port| depths.get(port.node).copied());
        ends.max().unwrap_or(0)
    }
}
