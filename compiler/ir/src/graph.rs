//! The graph itself. petgraph stays inside this file: its edge order is not operand order, so
//! operands are kept in the nodes, and its indices never leave.

use std::ops::Index;

use nas_diagnostics::fault;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::id_vec::IdVec;
use crate::ids::NodeId;
use crate::node::{Node, NodeKind};
use crate::shape::Shape;
use crate::varied::Varied;

/// The nodes of a space. Operands come before the nodes that read them.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    inner: DiGraph<Node, ()>,
}

impl Index<NodeId> for Graph {
    type Output = Node;

    #[track_caller]
    fn index(&self, id: NodeId) -> &Node {
        match self.node(id) {
            Some(node) => node,
            None => fault("a node of another graph"),
        }
    }
}

impl Graph {
    /// Adds a node whose operands are in the graph.
    pub fn add(&mut self, node: Node) -> NodeId {
        let index = self.inner.add_node(node);
        let input = |graph: &DiGraph<Node, ()>, place: usize| {
            graph.node_weight(index)?.inputs.get(place).map(|input| NodeIndex::new(input.index()))
        };
        let mut place = 0;
        while let Some(operand) = input(&self.inner, place) {
            // A node that reads an operand twice is its consumer once: neighbours come latest first.
            if self.inner.neighbors(operand).next() != Some(index) {
                self.inner.add_edge(operand, index, ());
            }
            place += 1;
        }
        NodeId(index.index() as u32)
    }

    /// The node of this id, if the graph has it. What must be there is `graph[id]`.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.inner.node_weight(NodeIndex::new(id.index()))
    }

    /// The shape of the value of a node.
    #[must_use]
    pub fn shape(&self, id: NodeId) -> Option<&Varied<Shape>> {
        self.node(id).map(|node| &node.shape)
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.node_count()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A table with a row for each node, all equal.
    #[must_use]
    pub fn table<T: Clone>(&self, value: T) -> IdVec<NodeId, T> {
        IdVec::filled(self.len(), value)
    }

    /// All nodes, operands before the nodes that read them.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> {
        let nodes = self.inner.raw_nodes().iter().enumerate();
        nodes.map(|(i, node)| (NodeId(i as u32), &node.weight))
    }

    /// The nodes that read the value of a node, each once.
    pub fn consumers(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.inner
            .neighbors_directed(NodeIndex::new(id.index()), Direction::Outgoing)
            .map(|index| NodeId(index.index() as u32))
    }

    /// The inputs of the network, in order.
    pub fn inputs(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes().filter(|(_, node)| node.kind == NodeKind::Input)
    }

    /// The outputs of the network, in order.
    pub fn outputs(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes().filter(|(_, node)| node.kind == NodeKind::Output)
    }

    /// The outputs that only training has, in order.
    pub fn train_outputs(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes().filter(|(_, node)| matches!(node.kind, NodeKind::TrainOutput { .. }))
    }

    /// For each node, whether it is an end, or an end is computed from it under some decisions.
    #[must_use]
    pub fn reaching(&self, is_end: impl Fn(&NodeKind) -> bool) -> IdVec<NodeId, bool> {
        let mut reaches = self.table(false);
        for (id, node) in self.nodes().rev() {
            reaches[id] |= is_end(&node.kind);
            if reaches[id] {
                node.inputs.iter().for_each(|&operand| reaches[operand] = true);
            }
        }
        reaches
    }

    /// For each node, whether nothing but a train output is computed from it.
    #[must_use]
    pub fn train_only(&self) -> IdVec<NodeId, bool> {
        let network = self.reaching(|kind| matches!(kind, NodeKind::Input | NodeKind::Output));
        let training = self.reaching(|kind| matches!(kind, NodeKind::TrainOutput { .. }));
        network.into_iter().zip(training).map(|(network, training)| training && !network).collect()
    }
}
