//! The tensors of all networks of a space: who makes, holds and reads them, and when.
//!
//! It follows [`nas_passes::specialise`] (values pass through selects, and through what
//! [`nas_passes::simplify`] takes out) and [`crate::peak`] (which values share a tensor), with conditions
//! in the place of an assignment.

use nas_ir::diagram::{Combine, Diagram, Memo, Selectors};
use nas_ir::ops::Storage;
use nas_ir::{Checked, IdVec, Node, NodeId, NodeKind, Space, Varied, fault};
use nas_passes::space::simplify::{Logic, Simplified, alone};

use rustc_hash::FxHashMap as HashMap;

use super::work::MAX_VISITS;
use super::work::TooMuch;

/// Nodes, and when each of them is meant; the conditions of the nodes exclude each other, or are
/// those of several operands.
pub(super) type Cases = Vec<(NodeId, Diagram)>;

/// Conditions, combined with a memory of what was combined before.
pub(super) struct Conditions {
    pub(super) store: Selectors,
    ands: Memo,
    ors: Memo,
    pub(super) never: Diagram,
    pub(super) always: Diagram,
}

impl Conditions {
    fn new(mut store: Selectors) -> Self {
        let (never, always) = (store.constant(0), store.constant(1));
        let (ands, ors) = (store.memo(), store.memo());
        Self { store, ands, ors, never, always }
    }

    pub(super) fn and(&mut self, a: Diagram, b: Diagram) -> Diagram {
        self.store.and_with(a, b, &mut self.ands)
    }

    pub(super) fn or(&mut self, a: Diagram, b: Diagram) -> Diagram {
        self.store.or_with(a, b, &mut self.ors)
    }

    /// The bytes of a number of a node's value.
    fn number(&mut self, space: &Space, node: &Node) -> Diagram {
        let bytes: Vec<u32> = space.precisions(node).iter().map(|of| of.bytes() as u32).collect();
        let of_index = |index: u32| bytes.get(index as usize).copied().unwrap_or_default();
        match node.precision.as_ref().and_then(Varied::selector) {
            Some(selector) => self.store.rename(selector, &of_index),
            None => self.store.constant(of_index(0)),
        }
    }

    /// When two functions of the decisions are the same number.
    fn equal(&mut self, a: Diagram, b: Diagram) -> Diagram {
        if a == b {
            return self.always;
        }
        let values = |a: &u32, b: &u32| u32::from(a == b);
        self.store.apply(a, b, &Combine::by(&values), &mut HashMap::default())
    }

    fn any(&mut self, conditions: impl IntoIterator<Item = Diagram>) -> Diagram {
        conditions.into_iter().fold(self.never, |any, one| self.or(any, one))
    }

    /// Adds a case, which may be there already under another condition.
    pub(super) fn add(&mut self, cases: &mut Cases, node: NodeId, condition: Diagram) {
        if condition == self.never {
            return;
        }
        match cases.iter_mut().find(|(known, _)| *known == node) {
            Some((_, known)) => *known = self.or(*known, condition),
            None => cases.push((node, condition)),
        }
    }

    /// The cases where a condition holds too.
    pub(super) fn within(&mut self, cases: &[(NodeId, Diagram)], condition: Diagram) -> Cases {
        let never = self.never;
        let both = cases.iter().map(|&(node, when)| (node, self.and(when, condition)));
        both.filter(|&(_, when)| when != never).collect()
    }
}

impl Logic for Conditions {
    type Condition = Diagram;

    fn never(&mut self) -> Diagram {
        self.never
    }

    fn always(&mut self) -> Diagram {
        self.always
    }

    fn and(&mut self, a: Diagram, b: Diagram) -> Diagram {
        Conditions::and(self, a, b)
    }

    fn not(&mut self, a: Diagram) -> Diagram {
        Logic::not(&mut self.store, a)
    }
}

/// The tensors of a space; each is named by the node that makes it.
pub(super) struct Tensors {
    pub(super) conditions: Conditions,
    /// For each node, when it makes a tensor, in a step of its own or as an input.
    pub(super) made: IdVec<NodeId, Diagram>,
    /// For each node, the tensors that it reads as a step, and when.
    pub(super) reads: IdVec<NodeId, Cases>,
    /// The tensors that are outputs.
    pub(super) kept: Cases,
    /// For each node, the bytes of a number of its value.
    pub(super) numbers: IdVec<NodeId, Diagram>,
}

impl Tensors {
    pub(super) fn of(space: &Checked<Space>) -> Result<Self, TooMuch> {
        let mut conditions = Conditions::new(space.selectors.clone());
        let numbers = space.graph.nodes().map(|(_, node)| conditions.number(space, node));
        let numbers = numbers.collect();
        let mut finder = Finder {
            space,
            conditions,
            numbers,
            values: IdVec::with_capacity(space.graph.len()),
            operands: space.graph.table(Cases::new()),
            readers: space.graph.table(Cases::new()),
            outputs: Cases::new(),
            holders: IdVec::with_capacity(space.graph.len()),
        };
        finder.find_values()?;
        let emitted = finder.find_readers()?;
        finder.find_holders()?;
        finder.finish(&emitted)
    }
}

struct Finder<'s> {
    space: &'s Space,
    conditions: Conditions,
    /// As in [`Tensors`].
    numbers: IdVec<NodeId, Diagram>,
    /// For each node, the inputs and operators whose value it has, and when.
    values: IdVec<NodeId, Cases>,
    /// For each node, the nodes whose values it reads where it is in the network, and when.
    operands: IdVec<NodeId, Cases>,
    /// For each node, the nodes that read its value, and when.
    readers: IdVec<NodeId, Cases>,
    /// The nodes whose values are outputs, and when.
    outputs: Cases,
    /// For each node, the tensors that hold its value, and when.
    holders: IdVec<NodeId, Cases>,
}

/// Where the value of a node is put; of what is no operator, in a tensor of its own.
fn storage(node: &Node) -> Storage {
    if let NodeKind::Op(op) = &node.kind { op.storage() } else { Storage::Own }
}

/// What a node is in every network, if it is an operator.
fn simplified(node: &Node) -> Option<Simplified> {
    if let NodeKind::Op(op) = &node.kind { Some(Simplified::of(op.yields())) } else { None }
}

impl Finder<'_> {
    fn within_limits(&self) -> Result<(), TooMuch> {
        let is_small = self.conditions.store.visits() <= MAX_VISITS;
        if is_small { Ok(()) } else { Err(TooMuch) }
    }

    fn is_zero(&self, id: NodeId) -> bool {
        simplified(&self.space.graph[id]) == Some(Simplified::Zeros)
    }

    fn is_input(&self, id: NodeId) -> bool {
        self.space.graph[id].kind == NodeKind::Input
    }

    fn is_view(&self, id: NodeId) -> bool {
        storage(&self.space.graph[id]) == Storage::View
    }

    fn find_values(&mut self) -> Result<(), TooMuch> {
        for (id, node) in self.space.graph.nodes() {
            let values = match (&node.kind, simplified(node)) {
                (NodeKind::Select(selector), _) => self.selected(node, *selector),
                (_, Some(Simplified::Sum)) => self.sum(id, node),
                (_, Some(Simplified::Operand))
                | (NodeKind::Output | NodeKind::TrainOutput { .. }, _) => {
                    let input = node.inputs.first();
                    self.values[*input.unwrap_or_else(|| fault("a value of nothing"))].clone()
                }
                (NodeKind::Input | NodeKind::Op(_), _) => vec![(id, self.conditions.always)],
            };
            self.values.push(values);
            self.within_limits()?;
        }
        Ok(())
    }

    fn selected(&mut self, node: &Node, selector: Diagram) -> Cases {
        let mut values = Cases::new();
        for (index, &input) in node.inputs.iter().enumerate() {
            let taken = self.conditions.store.is(selector, index as u32);
            for (value, when) in self.conditions.within(&self.values[input], taken) {
                self.conditions.add(&mut values, value, when);
            }
        }
        values
    }

    /// When the value of a node is that of a `zero`.
    fn zero(&mut self, id: NodeId) -> Diagram {
        let values = self.values[id].clone().into_iter();
        let zeros = values.filter(|(value, _)| self.is_zero(*value)).map(|(_, when)| when);
        let zeros: Vec<Diagram> = zeros.collect();
        self.conditions.any(zeros)
    }

    /// A sum is an operand where that is all that is left of it.
    fn sum(&mut self, id: NodeId, node: &Node) -> Cases {
        let zeros: Vec<Diagram> = node.inputs.iter().map(|&input| self.zero(input)).collect();
        let mut values = Cases::new();
        let mut forwarded = self.conditions.never;
        let alone = alone(&mut self.conditions, &zeros);
        for (&input, alone) in node.inputs.iter().zip(alone) {
            forwarded = self.conditions.or(forwarded, alone);
            for (value, when) in self.conditions.within(&self.values[input], alone) {
                self.conditions.add(&mut values, value, when);
            }
        }
        let added = self.conditions.not(forwarded);
        self.conditions.add(&mut values, id, added);
        values
    }

    /// Finds who reads what; gives, for each node, when it is in the network.
    fn find_readers(&mut self) -> Result<IdVec<NodeId, Diagram>, TooMuch> {
        let mut emitted = self.space.graph.table(self.conditions.never);
        for (id, node) in self.space.graph.nodes().rev() {
            let alive = match &node.kind {
                NodeKind::Output => self.conditions.always,
                NodeKind::Op(op) if op.reads_inputs() => emitted[id],
                NodeKind::Op(_)
                | NodeKind::Select(_)
                | NodeKind::Input
                | NodeKind::TrainOutput { .. } => continue,
            };
            for (value, when) in self.read_by(id, node, alive) {
                emitted[value] = self.conditions.or(emitted[value], when);
            }
            self.within_limits()?;
        }
        for (id, _) in self.space.graph.inputs() {
            emitted[id] = self.conditions.always;
        }
        Ok(emitted)
    }

    /// Notes the nodes whose values a node reads where it is alive. A sum does not read zeros.
    fn read_by(&mut self, id: NodeId, node: &Node, alive: Diagram) -> Cases {
        let is_sum = simplified(node) == Some(Simplified::Sum);
        let mut read = Cases::new();
        for &input in &node.inputs {
            for (value, when) in self.conditions.within(&self.values[input], alive) {
                if !(is_sum && self.is_zero(value)) {
                    self.conditions.add(&mut read, value, when);
                }
            }
        }
        for &(value, when) in &read {
            if node.kind == NodeKind::Output {
                self.conditions.add(&mut self.outputs, value, when);
            }
            self.conditions.add(&mut self.readers[value], id, when);
        }
        self.operands[id].clone_from(&read);
        read
    }

    /// When something but this reader needs a value as it stands.
    fn needed_beside(&mut self, value: NodeId, reader: NodeId) -> Diagram {
        let others = self.readers[value].clone();
        let others = others.into_iter().filter(|(other, _)| *other != reader).map(|(_, when)| when);
        let mut needed = self.conditions.any(others.collect::<Vec<_>>());
        if self.is_view(value) {
            for (seen, when) in self.operands[value].clone() {
                let beside = self.needed_beside(seen, value);
                let beside = self.conditions.and(beside, when);
                needed = self.conditions.or(needed, beside);
            }
        }
        needed
    }

    fn find_holders(&mut self) -> Result<(), TooMuch> {
        for (id, node) in self.space.graph.nodes() {
            let storage = storage(node);
            let mut holders = Cases::new();
            let mut shared = self.conditions.never;
            let read =
                if storage == Storage::Own { Cases::new() } else { self.operands[id].clone() };
            for (value, when) in read {
                let mut when = when;
                if storage == Storage::InPlace {
                    let needed = self.needed_beside(value, id);
                    let free = self.conditions.not(needed);
                    when = self.conditions.and(when, free);
                }
                for (tensor, mut when) in self.conditions.within(&self.holders[value], when) {
                    let is_input = self.is_input(tensor);
                    if storage == Storage::InPlace {
                        let fits = self.conditions.equal(self.numbers[tensor], self.numbers[id]);
                        when = self.conditions.and(when, fits);
                    }
                    if storage == Storage::View || !is_input {
                        self.conditions.add(&mut holders, tensor, when);
                        shared = self.conditions.or(shared, when);
                    }
                }
            }
            let own = self.conditions.not(shared);
            if storage != Storage::View {
                self.conditions.add(&mut holders, id, own);
            }
            self.holders.push(holders);
            self.within_limits()?;
        }
        Ok(())
    }

    fn finish(mut self, emitted: &IdVec<NodeId, Diagram>) -> Result<Tensors, TooMuch> {
        let mut made = IdVec::with_capacity(emitted.len());
        let mut reads = IdVec::with_capacity(emitted.len());
        for (id, &emitted) in emitted.iter() {
            let own = self.holders[id].clone().into_iter().find(|(holder, _)| *holder == id);
            let own =
                own.map_or(self.conditions.never, |(_, when)| self.conditions.and(when, emitted));
            made.push(own);
            let read = self.conditions.within(&self.operands[id], own);
            reads.push(self.held(&read));
        }
        let outputs = std::mem::take(&mut self.outputs);
        let kept = self.held(&outputs);
        self.within_limits()?;
        Ok(Tensors { conditions: self.conditions, made, reads, kept, numbers: self.numbers })
    }

    /// The tensors that hold these values.
    fn held(&mut self, values: &[(NodeId, Diagram)]) -> Cases {
        let mut held = Cases::new();
        for &(value, when) in values {
            for (tensor, when) in self.conditions.within(&self.holders[value], when) {
                self.conditions.add(&mut held, tensor, when);
            }
        }
        held
    }
}
