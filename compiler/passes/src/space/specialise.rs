//! From a space and an assignment to one network.

use std::collections::BTreeSet;

use nas_ir::device::PartLatency;
use nas_ir::diagram::Diagram;
use nas_ir::network::{NetworkNode, Port, TrainOutput};
use nas_ir::{Assignment, Checked, IdVec, Network, Node, NodeId, NodeKind, Op, Space, fault};

use super::simplify::simplify;
use crate::rewire::NONE;

/// The network that an assignment picks: selects resolved, what no output reads left out, and what
/// computes nothing gone ([`simplify`]). Names of nodes are those of the space. What only train
/// outputs read stands apart, in [`Network::training`].
#[must_use]
pub fn specialise(space: &Checked<Space>, assignment: &Assignment) -> Network {
    let picked = Picked { space, assignment };
    let reached = picked.reached(|kind| matches!(kind, NodeKind::Output | NodeKind::Input));
    let mut builder = Builder {
        picked: &picked,
        places: space.graph.table(NONE),
        network: Network {
            space: space.name.clone(),
            task: space.task,
            precision: space.device.precision,
            latency: picked.latency(&reached),
            choices: picked.choices(&reached),
            ..Network::default()
        },
    };
    builder.add_network(&reached);
    if space.graph.train_outputs().next().is_some() {
        builder.add_training();
    }
    simplify(builder.network)
}

/// A part of a network that was measured as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartTime<'s> {
    /// The nodes of the space that are measured together, in order; not all need be in the network.
    pub nodes: &'s [NodeId],
    /// How long it takes.
    pub nanoseconds: u64,
}

/// The parts of one network, in the order of the space, with their times: with what every network
/// takes they sum to its latency. `None` if the space has no latency table.
#[must_use]
pub fn part_times<'s>(
    space: &'s Checked<Space>,
    assignment: &'s Assignment,
) -> Option<Vec<PartTime<'s>>> {
    let picked = Picked { space, assignment };
    picked.part_times(&picked.reached(|kind| matches!(kind, NodeKind::Output)))
}

/// A space and an assignment.
struct Picked<'s> {
    space: &'s Checked<Space>,
    assignment: &'s Assignment,
}

impl<'s> Picked<'s> {
    /// The operator of a node in this network.
    fn op(&self, node: &'s Node) -> Option<&'s Op> {
        let NodeKind::Op(op) = &node.kind else { return None };
        Some(op.get(&self.space.selectors, self.assignment))
    }

    /// The operands that a node reads in this network: of a select, the one that it takes.
    fn operands(&self, node: &'s Node) -> &'s [NodeId] {
        let all = node.inputs.as_slice();
        match (&node.kind, self.op(node)) {
            (NodeKind::Select(selector), _) => {
                let taken = *self.space.selectors.value(*selector, self.assignment);
                let taken = all.get(taken as usize).map(std::slice::from_ref);
                taken.unwrap_or_else(|| fault("a select that takes no operand"))
            }
            (_, Some(op)) if !op.reads_inputs() => &[],
            _ => all,
        }
    }

    /// For each node of the space, selects included, whether it is an end or an end reads it.
    fn reached(&self, is_end: impl Fn(&NodeKind) -> bool) -> IdVec<NodeId, bool> {
        let mut reached = self.space.graph.table(false);
        for (id, node) in self.space.graph.nodes().rev() {
            reached[id] |= is_end(&node.kind);
            if reached[id] {
                self.operands(node).iter().for_each(|&operand| reached[operand] = true);
            }
        }
        reached
    }

    /// The selectors on which nodes of this network depend.
    fn selectors(&self, reached: &IdVec<NodeId, bool>) -> BTreeSet<Diagram> {
        let nodes = self.space.graph.nodes().filter(|(id, _)| reached[*id]);
        nodes.flat_map(|(_, node)| node.selectors()).collect()
    }

    /// What is chosen where it makes a difference to these nodes: paths and candidates.
    fn choices(&self, reached: &IdVec<NodeId, bool>) -> Vec<(String, String)> {
        let mut matters = self.space.decision_table(false);
        for selector in self.selectors(reached) {
            let own = self.space.selectors.mattering(selector, self.assignment);
            own.into_iter().for_each(|decision| matters[decision] = true);
        }
        let decisions = self.space.decision_ids().filter(|(id, _)| matters[*id]);
        let choices = decisions.map(|(id, decision)| {
            let candidate = decision.candidates.get(self.assignment.get(id));
            let candidate = candidate.unwrap_or_else(|| fault("a choice of no candidate"));
            (decision.path.clone(), candidate.clone())
        });
        choices.collect()
    }

    /// The parts that are in this network, each with the nanoseconds of its case.
    fn part_times(&self, reached: &IdVec<NodeId, bool>) -> Option<Vec<PartTime<'s>>> {
        let latency = self.space.device.latency.as_ref()?;
        let alive = latency.parts.iter().filter(|part| reached[part.node]);
        let time = |part: &'s PartLatency| {
            let case = *self.space.selectors.value(part.case, self.assignment);
            let nanoseconds = part.nanoseconds.get(case as usize);
            PartTime {
                nodes: &part.nodes,
                nanoseconds: *nanoseconds
                    .unwrap_or_else(|| fault("a part without one of its latencies")),
            }
        };
        Some(alive.map(time).collect())
    }

    /// The nanoseconds of the network: those of its parts, and what every network takes.
    fn latency(&self, reached: &IdVec<NodeId, bool>) -> Option<u64> {
        let overhead = self.space.device.latency.as_ref()?.overhead;
        let parts = self.part_times(reached)?;
        Some(parts.iter().fold(overhead, |sum, part| sum.saturating_add(part.nanoseconds)))
    }
}

struct Builder<'s> {
    picked: &'s Picked<'s>,
    /// For each node of the space, the index in the network of the node that has its value.
    places: IdVec<NodeId, usize>,
    network: Network,
}

impl<'s> Builder<'s> {
    /// Adds what the outputs read, in order.
    fn add_network(&mut self, reached: &IdVec<NodeId, bool>) {
        for (id, node) in self.picked.space.graph.nodes().filter(|(id, _)| reached[*id]) {
            match &node.kind {
                NodeKind::Input => {
                    let made = self.made(id, node);
                    self.network.nodes.push(made);
                    self.network.inputs.push(self.port(node, id));
                }
                NodeKind::Op(_) => {
                    let made = self.made(id, node);
                    self.network.nodes.push(made);
                }
                NodeKind::Select(_) => self.pass_on(id, node),
                NodeKind::Output => {
                    self.pass_on(id, node);
                    self.network.outputs.push(self.port(node, id));
                }
                NodeKind::TrainOutput { .. } => {}
            }
        }
    }

    /// Adds what train outputs read and is not there yet, in order.
    fn add_training(&mut self) {
        let reached = self.picked.reached(|kind| matches!(kind, NodeKind::TrainOutput { .. }));
        for (id, node) in self.picked.space.graph.nodes().filter(|(id, _)| reached[*id]) {
            match &node.kind {
                NodeKind::Op(_) if self.places[id] == NONE => {
                    let made = self.made(id, node);
                    self.network.training.nodes.push(made);
                }
                NodeKind::Select(_) => self.pass_on(id, node),
                NodeKind::TrainOutput { weight } => {
                    self.pass_on(id, node);
                    let output = TrainOutput { port: self.port(node, id), weight: *weight };
                    self.network.training.outputs.push(output);
                }
                NodeKind::Op(_) | NodeKind::Input | NodeKind::Output => {}
            }
        }
    }

    /// The node has the value of the operand that it reads.
    fn pass_on(&mut self, id: NodeId, node: &'s Node) {
        let operand = self.picked.operands(node).first();
        let operand = *operand.unwrap_or_else(|| fault("an output of nothing"));
        self.places[id] = self.places[operand];
    }

    fn port(&self, node: &Node, id: NodeId) -> Port {
        Port { name: node.name.clone(), node: self.places[id] }
    }

    /// The node in this network, behind those that are there.
    fn made(&mut self, id: NodeId, node: &'s Node) -> NetworkNode {
        let Self { picked, places, network } = self;
        places[id] = network.nodes.len() + network.training.nodes.len();
        let made = NetworkNode::new(
            node.name.clone(),
            picked.op(node).cloned(),
            picked.operands(node).iter().map(|&operand| places[operand]).collect(),
            *node.shape.get(&picked.space.selectors, picked.assignment),
        );
        let precision = node.precision.as_ref();
        let precision = precision.map(|of| *of.get(&picked.space.selectors, picked.assignment));
        NetworkNode { precision, ..made }
    }
}
