//! The verifier of networks: what a network says must follow from itself.

use std::fmt;

use rustc_hash::FxHashSet as HashSet;

use crate::network::{Network, NetworkNode, Port};
use crate::ops::signature::Operands;
use crate::ops::{Op, ShapeProblem};
use crate::shape::Shape;

/// Where a network contradicts itself: a fault of what made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The path of the node, or the name of the port.
    pub at: String,
    /// What is wrong with it.
    pub what: Contradiction,
}

/// What is wrong with a node or a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// An operand is no earlier node.
    Order,
    /// So many operands are not what the operator takes; an input takes none.
    Operands(usize),
    /// The stated shape does not follow from the operands.
    Shape {
        /// The shape that follows.
        follows: Shape,
        /// The shape that is stated.
        stated: Shape,
    },
    /// The operator cannot work on its operands.
    Problem(ShapeProblem),
    /// Two nodes have this path, or two inputs or outputs this name.
    Twice,
    /// The port is of no node, or an input of a node that is none.
    NoNode,
    /// The output does not fit the task, which needs this shape.
    Task(Shape),
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("it stands before one of its operands"),
            Self::Operands(count) => write!(f, "it has {count} operands"),
            Self::Shape { follows, stated } => write!(f, "its shape is {follows} and not {stated}"),
            Self::Problem(problem) => write!(f, "{problem:?}"),
            Self::Twice => f.write_str("another one has the same name"),
            Self::NoNode => f.write_str("the port has no node"),
            Self::Task(needed) => write!(f, "the task needs an output {needed}"),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.at, self.what)
    }
}

impl Network {
    /// Whether the network, with what training adds, is well-formed: operands come before their
    /// users, shapes follow from operands, ports are of nodes, names are unique, and outputs fit the
    /// task. An input and an output may have one name. The shape of zeros, which may stand without an
    /// operand, is that which the network states.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn verify(&self) -> Result<(), Vec<Flaw>> {
        let mut verifier = Verifier { network: self, flaws: Vec::new() };
        verifier.nodes();
        verifier.ports();
        verifier.task();
        if verifier.flaws.is_empty() { Ok(()) } else { Err(verifier.flaws) }
    }
}

struct Verifier<'n> {
    network: &'n Network,
    flaws: Vec<Flaw>,
}

impl<'n> Verifier<'n> {
    fn note(&mut self, at: &str, what: Contradiction) {
        self.flaws.push(Flaw { at: at.to_owned(), what });
    }

    fn nodes(&mut self) {
        let network = self.network;
        let mut shapes = Vec::new();
        for (index, node) in network.nodes.iter().chain(&network.training.nodes).enumerate() {
            if node.inputs.iter().any(|&operand| operand >= index) {
                self.note(&node.name, Contradiction::Order);
                continue;
            }
            shapes.clear();
            let operands = node.inputs.iter().filter_map(|&operand| network.node(operand));
            shapes.extend(operands.map(|operand| operand.shape));
            if let Some(what) = contradiction(node, &shapes) {
                self.note(&node.name, what);
            }
        }
        let nodes = network.nodes.iter().chain(&network.training.nodes);
        self.unique(nodes.map(|node| node.name.as_str()));
    }

    fn ports(&mut self) {
        let Network { nodes, inputs, outputs, training, .. } = self.network;
        let is_input = |port: &Port| nodes.get(port.node).is_some_and(|node| node.op.is_none());
        for port in inputs.iter().filter(|port| !is_input(port)) {
            self.note(&port.name, Contradiction::NoNode);
        }
        for port in outputs.iter().filter(|port| port.node >= nodes.len()) {
            self.note(&port.name, Contradiction::NoNode);
        }
        let added = training.outputs.iter().map(|output| &output.port);
        for port in added.clone().filter(|port| self.network.node(port.node).is_none()) {
            self.note(&port.name, Contradiction::NoNode);
        }
        self.unique(inputs.iter().map(|port| port.name.as_str()));
        self.unique(outputs.iter().chain(added).map(|port| port.name.as_str()));
    }

    /// The first output, and those that training adds, are what the task learns from.
    fn task(&mut self) {
        let network = self.network;
        let Some(task) = network.task else { return };
        let shape = |port: &Port| network.node(port.node).map(|node| node.shape);
        let Some(input) = network.inputs.first().and_then(shape) else { return };
        let added = network.training.outputs.iter().map(|output| &output.port);
        for port in network.outputs.first().into_iter().chain(added) {
            let misfit = shape(port).and_then(|output| task.misfit(input, output));
            if let Some((needed, _)) = misfit {
                self.note(&port.name, Contradiction::Task(needed));
            }
        }
    }

    fn unique(&mut self, names: impl Iterator<Item = &'n str>) {
        let mut seen = HashSet::default();
        for name in names {
            if !seen.insert(name) {
                self.note(name, Contradiction::Twice);
            }
        }
    }
}

/// What is wrong with a node on operands of these shapes.
fn contradiction(node: &NetworkNode, shapes: &[Shape]) -> Option<Contradiction> {
    let count = shapes.len();
    let Some(op) = &node.op else {
        return (count > 0).then_some(Contradiction::Operands(count));
    };
    // What is constant may stand without the operand that gave it its shape.
    if !op.reads_inputs() {
        return None;
    }
    if !accepts(op, count) {
        return Some(Contradiction::Operands(count));
    }
    match op.shape(shapes) {
        Ok(follows) if follows == node.shape => None,
        Ok(follows) => Some(Contradiction::Shape { follows, stated: node.shape }),
        Err(problem) => Some(Contradiction::Problem(problem)),
    }
}

/// A sum or a product whose other operands are gone has one.
fn accepts(op: &Op, count: usize) -> bool {
    let operands = op.declaration().operands;
    operands.accept(count) || (operands == Operands::Many && count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::TrainOutput;
    use crate::ops::{Add, Linear, Relu, Zero};
    use crate::task::Task;

    fn node(name: &str, op: Option<Op>, inputs: &[usize], dims: [u32; 3]) -> NetworkNode {
        NetworkNode::new(name, op, inputs.to_vec(), Shape::from(dims))
    }

    fn port(name: &str, node: usize) -> Port {
        Port { name: name.to_owned(), node }
    }

    /// A sum of an input and its positive part, zeros that nothing reads, and a train output.
    fn network() -> Network {
        let mut network = Network {
            nodes: vec![
                node("x", None, &[], [3, 4, 4]),
                node("relu.0", Some(Op::Relu(Relu)), &[0], [3, 4, 4]),
                node("zero.0", Some(Op::Zero(Zero)), &[], [9, 9, 9]),
                node("add.0", Some(Op::Add(Add)), &[0, 1], [3, 4, 4]),
            ],
            inputs: vec![port("x", 0)],
            outputs: vec![port("x", 3)],
            ..Network::default()
        };
        network.training.nodes = vec![node("relu.1", Some(Op::Relu(Relu)), &[1], [3, 4, 4])];
        network.training.outputs = vec![TrainOutput { port: port("aux", 4), weight: 0.5 }];
        network
    }

    /// What is wrong once the network is changed.
    fn flaws(change: impl FnOnce(&mut Network)) -> Vec<String> {
        let mut network = network();
        change(&mut network);
        let flaws = network.verify().err().unwrap_or_default();
        flaws.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_network_that_follows_from_itself() {
        assert_eq!(network().verify(), Ok(()));
        assert_eq!(
            flaws(|n| n.task = Some(Task::Segmentation { classes: 3, ignore: 255 })),
            [""; 0]
        );
        // A sum whose other operands are gone.
        assert_eq!(flaws(|n| n.nodes[3].inputs.truncate(1)), [""; 0]);
    }

    #[test]
    fn nodes_that_do_not_follow() {
        assert_eq!(flaws(|n| n.nodes[1].inputs = vec![1]).len(), 1);
        let late = flaws(|n| n.training.nodes[0].inputs = vec![7]);
        assert_eq!(late, ["`relu.1`: it stands before one of its operands"]);
        let without = flaws(|n| n.nodes[3].inputs.clear());
        assert_eq!(without, ["`add.0`: it has 0 operands"]);
        let input = flaws(|n| n.training.nodes[0].op = None);
        assert_eq!(input, ["`relu.1`: it has 1 operands"]);
        let stated = flaws(|n| n.training.nodes[0].shape = Shape::from([3]));
        assert_eq!(stated, ["`relu.1`: its shape is [3, 4, 4] and not [3]"]);
        let problem = flaws(|n| n.nodes[3].inputs = vec![0, 2]);
        assert!(problem[0].starts_with("`add.0`: "), "{problem:?}");
        let problem = flaws(|n| n.nodes[1].op = Some(Op::Linear(Linear { out: 2, bias: false })));
        assert_eq!(problem.len(), 1, "{problem:?}");
    }

    #[test]
    fn ports_of_no_node() {
        assert_eq!(flaws(|n| n.outputs[0].node = 4), ["`x`: the port has no node"]);
        assert_eq!(flaws(|n| n.inputs[0].node = 1), ["`x`: the port has no node"]);
        assert_eq!(flaws(|n| n.training.outputs[0].port.node = 5), ["`aux`: the port has no node"]);
    }

    #[test]
    fn names_that_are_not_unique() {
        let path = flaws(|n| n.training.nodes[0].name = "relu.0".to_owned());
        assert_eq!(path, ["`relu.0`: another one has the same name"]);
        let output = flaws(|n| n.training.outputs[0].port.name = "x".to_owned());
        assert_eq!(output, ["`x`: another one has the same name"]);
        let input = flaws(|n| n.inputs.push(port("x", 0)));
        assert_eq!(input, ["`x`: another one has the same name"]);
    }

    #[test]
    fn outputs_that_do_not_fit_the_task() {
        let flaws = flaws(|n| n.task = Some(Task::Classification { classes: 2 }));
        let needed = "the task needs an output [2]";
        assert_eq!(flaws, [format!("`x`: {needed}"), format!("`aux`: {needed}")]);
    }
}
