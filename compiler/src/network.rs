//! One network of a space: every decision made, every shape a number.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::Serialize;

use crate::ir::Task;
use crate::measure::Measure;
use crate::ops::{Op, Weight};
use crate::shape::Shape;

/// A network without decisions. Nodes stand in an order in which operands come first.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The name of the space that it comes from.
    pub space: String,
    /// What it is for.
    pub task: Option<Task>,
    /// The decision paths and chosen candidates that made it, in order of appearance;
    /// decisions that the others make unreachable are left out.
    pub choices: Vec<(String, String)>,
    /// The nodes; an operand is an index into this list.
    pub nodes: Vec<NetworkNode>,
    /// The inputs.
    pub inputs: Vec<Port>,
    /// The outputs.
    pub outputs: Vec<Port>,
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

/// What a network, or a layer of it, costs for batch 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Cost {
    /// Multiply-accumulates of convolutions, transposed ones and linear layers, nothing else.
    pub macs: u64,
    /// Trainable parameters: kernels, biases, scale and shift of batch norm, slopes.
    pub params: u64,
}

impl Cost {
    /// The figure of a measure.
    #[must_use]
    pub fn measure(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Params => self.params,
            _ => self.macs,
        }
    }

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

impl Network {
    /// The shapes of a node's operands.
    #[must_use]
    pub fn operand_shapes(&self, node: &NetworkNode) -> Vec<Shape> {
        node.inputs.iter().filter_map(|&i| self.nodes.get(i)).map(|n| n.shape).collect()
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

    /// What one node costs.
    #[must_use]
    pub fn node_cost(&self, node: &NetworkNode) -> Cost {
        let Some(op) = &node.op else { return Cost::default() };
        Cost::of(op, &self.operand_shapes(node), node.shape)
    }

    /// What the network costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.nodes.iter().map(|node| self.node_cost(node)).sum()
    }
}
