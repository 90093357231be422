//! What computes nothing: an `identity` is its operand, a `zero` in a sum adds nothing, and a sum
//! of which one operand is left is that operand.
//!
//! [`simplify`] takes such nodes out of a network. [`Left`] says what is left of a node in one network;
//! analyses of a space ask the same under conditions, by [`Simplified`] and [`alone`].

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::network::{NetworkNode, Port};
use nas_ir::ops::Yields;
use nas_ir::{IdVec, Network, Op, fault};

use crate::rewire::{Part, arranged, move_ports};

/// What a node is once what computes nothing is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simplified {
    /// Its operand.
    Operand,
    /// Zeros, whatever its operand is: it reads none.
    Zeros,
    /// The sum of the operands that are no zeros; [`alone`] says when it is one of them.
    Sum,
    /// What its operator makes of all operands.
    Itself,
}

impl Simplified {
    /// What a node is whose operator yields this.
    #[must_use]
    pub fn of(yields: Yields) -> Self {
        match yields {
            Yields::Operand => Self::Operand,
            Yields::Zeros => Self::Zeros,
            Yields::Sum => Self::Sum,
            Yields::OperandButInTraining | Yields::Computed => Self::Itself,
        }
    }

    /// When the value of the node is zeros, if those of its operands are so under these conditions.
    pub fn is_zeros<L: Logic>(
        self,
        logic: &mut L,
        operands: impl IntoIterator<Item = L::Condition>,
    ) -> L::Condition {
        let mut operands = operands.into_iter();
        match self {
            Self::Operand => {
                operands.next().unwrap_or_else(|| fault("an operator without operands"))
            }
            Self::Zeros => logic.always(),
            Self::Sum => operands.fold(logic.always(), |all, zeros| logic.and(all, zeros)),
            Self::Itself => logic.never(),
        }
    }
}

/// When a sum is one operand and no more, for each of them, if they are zeros under these
/// conditions: where all others are zeros. A sum of zeros only is the first of them.
pub fn alone<L: Logic>(logic: &mut L, zeros: &[L::Condition]) -> Vec<L::Condition> {
    let never = logic.never();
    if zeros.iter().filter(|&&zero| zero == never).count() > 1 {
        return vec![never; zeros.len()];
    }
    let of = |(operand, &zero): (usize, &L::Condition)| {
        let others = zeros.iter().enumerate().filter(|(other, _)| *other != operand);
        let alone = others.fold(logic.always(), |all, (_, &zero)| logic.and(all, zero));
        if operand == 0 {
            return alone;
        }
        let present = logic.not(zero);
        logic.and(alone, present)
    };
    zeros.iter().enumerate().map(of).collect()
}

/// Conditions and how they are combined.
pub trait Logic {
    /// When something holds.
    type Condition: Copy + PartialEq;

    /// What never holds.
    fn never(&mut self) -> Self::Condition;
    /// What always holds.
    fn always(&mut self) -> Self::Condition;
    /// When both hold.
    fn and(&mut self, a: Self::Condition, b: Self::Condition) -> Self::Condition;
    /// When it does not hold.
    fn not(&mut self, a: Self::Condition) -> Self::Condition;
}

/// The logic of all networks of a space, in which something holds under some decisions.
impl Logic for Selectors {
    type Condition = Diagram;

    fn never(&mut self) -> Diagram {
        self.constant(0)
    }

    fn always(&mut self) -> Diagram {
        self.constant(1)
    }

    fn and(&mut self, a: Diagram, b: Diagram) -> Diagram {
        Selectors::and(self, a, b)
    }

    fn not(&mut self, a: Diagram) -> Diagram {
        self.rename(a, &|holds| 1 - holds)
    }
}

/// The logic of one network, in which something holds or does not.
struct Decided;

impl Logic for Decided {
    type Condition = bool;

    fn never(&mut self) -> bool {
        false
    }

    fn always(&mut self) -> bool {
        true
    }

    fn and(&mut self, a: bool, b: bool) -> bool {
        a && b
    }

    fn not(&mut self, a: bool) -> bool {
        !a
    }
}

/// What is left of a node of one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left<'o, T> {
    /// Zeros.
    Zeros,
    /// This operand.
    Operand(&'o T),
    /// What its operator makes of these operands.
    Operator(Vec<&'o T>),
}

impl<'o, T> Left<'o, T> {
    /// What is left of an operator on operands some of which are zeros.
    pub fn of(op: &Op, operands: &'o [T], is_zeros: impl Fn(&T) -> bool) -> Self {
        match Simplified::of(op.yields()) {
            Simplified::Zeros => Self::Zeros,
            Simplified::Operand => match operands.first() {
                Some(operand) => Self::Operand(operand),
                None => fault("an operator without operands"),
            },
            Simplified::Itself => Self::Operator(operands.iter().collect()),
            Simplified::Sum => {
                let zeros: Vec<bool> = operands.iter().map(&is_zeros).collect();
                let mut alone = operands.iter().zip(alone(&mut Decided, &zeros));
                match alone.find(|(_, is_alone)| *is_alone) {
                    Some((operand, _)) => Self::Operand(operand),
                    None => Self::Operator(operands.iter().filter(|o| !is_zeros(o)).collect()),
                }
            }
        }
    }
}

/// The network without what computes nothing, and without what nothing reads any more; its inputs
/// stay. What is then read by what training adds alone becomes part of that.
#[must_use]
pub fn simplify(mut network: Network) -> Network {
    let mut nodes = std::mem::take(&mut network.nodes);
    nodes.append(&mut network.training.nodes);
    let values = forward(&mut nodes);
    move_ports(&mut network, &values);

    let is_read = read(&nodes, network.inputs.iter().chain(&network.outputs));
    let trained = network.training.outputs.iter().map(|output| &output.port);
    let is_trained = read(&nodes, trained);
    arranged(network, nodes, |node| match (is_read[node], is_trained[node]) {
        (true, _) => Part::Own,
        (false, true) => Part::Added,
        (false, false) => Part::Gone,
    })
}

/// For each node, the node whose value it has: itself, unless it computes nothing. Operands become
/// those, and zeros in sums go.
fn forward(nodes: &mut [NetworkNode]) -> IdVec<usize, usize> {
    let mut values: IdVec<usize, usize> = IdVec::with_capacity(nodes.len());
    let mut zeros: IdVec<usize, bool> = IdVec::with_capacity(nodes.len());
    for (index, NetworkNode { op, inputs, .. }) in nodes.iter_mut().enumerate() {
        inputs.iter_mut().for_each(|input| *input = values[*input]);
        let is_zeros = |input: &usize| zeros[*input];
        let left = op.as_ref().map(|op| Left::of(op, inputs, is_zeros));
        let (value, own) = match left {
            None => (index, false),
            Some(Left::Zeros) => {
                inputs.clear();
                (index, true)
            }
            Some(Left::Operand(&operand)) => (operand, is_zeros(&operand)),
            Some(Left::Operator(read)) => {
                *inputs = read.into_iter().copied().collect();
                (index, false)
            }
        };
        values.push(value);
        zeros.push(own);
    }
    values
}

/// For each node, whether a port is computed from it.
fn read<'p>(nodes: &[NetworkNode], ports: impl Iterator<Item = &'p Port>) -> IdVec<usize, bool> {
    let mut is_read = IdVec::filled(nodes.len(), false);
    ports.for_each(|port| is_read[port.node] = true);
    for (index, node) in nodes.iter().enumerate().rev() {
        if is_read[index] {
            node.inputs.iter().for_each(|&input| is_read[input] = true);
        }
    }
    is_read
}
