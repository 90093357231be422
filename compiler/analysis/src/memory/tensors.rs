//! The tensors of all networks of a space: who makes, holds and reads them, and when.
//!
//! It follows [`nas_passes::specialise`] (values pass through selects, and through what
//! [`nas_passes::simplify`] takes out) and [`crate::peak`] (which values share a tensor), with conditions
//! in the place of an assignment.

use nas_ir::diagram::{Diagram, Memo, Selectors};
use nas_ir::ops::Storage;
use nas_ir::{Checked, Node, NodeId, NodeKind, Space};
use nas_passes::space::simplify::{Logic, Simplified, alone};

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
    pub(super) made: Vec<Diagram>,
    /// For each node, the tensors that it reads as a step, and when.
    pub(super) reads: Vec<Cases>,
    /// The tensors that are outputs.
    pub(super) kept: Cases,
}

impl Tensors {
    pub(super) fn of(space: &Checked<Space>) -> Result<Self, TooMuch> {
        let mut finder = Finder {
            space,
            conditions: Conditions::new(space.selectors.clone()),
            values: Vec::with_capacity(space.graph.len()),
            operands: vec![Cases::new(); space.graph.len()],
            readers: vec![Cases::new(); space.graph.len()],
            outputs: Cases::new(),
            holders: Vec::with_capacity(space.graph.len()),
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
    /// For each node, the inputs and operators whose value it has, and when.
    values: Vec<Cases>,
    /// For each node, the nodes whose values it reads where it is in the network, and when.
    operands: Vec<Cases>,
    /// For each node, the nodes that read its value, and when.
    readers: Vec<Cases>,
    /// The nodes whose values are outputs, and when.
    outputs: Cases,
    /// For each node, the tensors that hold its value, and when.
    holders: Vec<Cases>,
}

/// Where the value of a node is put; of what is no operator, in a tensor of its own.
fn storage(node: &Node) -> Storage {
    if let NodeKind::Op(op) = &node.kind { op.storage() } else { Storage::Own }
}

/// What a node is in every network, if it is an operator.
fn simplified(node: &Node) -> Option<Simplified> {
    if let NodeKind::Op(op) = &node.kind { Some(Simplified::of(op.yields())) } else { None }
}

fn cases_of(table: &[Cases], node: NodeId) -> Cases {
    table.get(node.index()).cloned().unwrap_or_default()
}

impl Finder<'_> {
    fn within_limits(&self) -> Result<(), TooMuch> {
        let is_small = self.conditions.store.visits() <= MAX_VISITS;
        if is_small { Ok(()) } else { Err(TooMuch) }
    }

    fn is_zero(&self, id: NodeId) -> bool {
        self.space.graph.node(id).and_then(simplified) == Some(Simplified::Zeros)
    }

    fn is_input(&self, id: NodeId) -> bool {
        self.space.graph.node(id).is_some_and(|node| node.kind == NodeKind::Input)
    }

    fn is_view(&self, id: NodeId) -> bool {
        self.space.graph.node(id).is_some_and(|node| storage(node) == Storage::View)
    }

    fn find_values(&mut self) -> Result<(), TooMuch> {
        for (id, node) in self.space.graph.nodes() {
            let values = match (&node.kind, simplified(node)) {
                (NodeKind::Select(selector), _) => self.selected(node, *selector),
                (_, Some(Simplified::Sum)) => self.sum(id, node),
                (_, Some(Simplified::Operand))
                | (NodeKind::Output | NodeKind::TrainOutput { .. }, _) => node
                    .inputs
                    .first()
                    .map_or_else(Cases::new, |&input| cases_of(&self.values, input)),
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
            for (value, when) in self.conditions.within(&cases_of(&self.values, input), taken) {
                self.conditions.add(&mut values, value, when);
            }
        }
        values
    }

    /// When the value of a node is that of a `zero`.
    fn zero(&mut self, id: NodeId) -> Diagram {
        let values = cases_of(&self.values, id).into_iter();
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
            for (value, when) in self.conditions.within(&cases_of(&self.values, input), alone) {
                self.conditions.add(&mut values, value, when);
            }
        }
        let added = self.conditions.not(forwarded);
        self.conditions.add(&mut values, id, added);
        values
    }

    /// Finds who reads what; gives, for each node, when it is in the network.
    fn find_readers(&mut self) -> Result<Vec<Diagram>, TooMuch> {
        let mut emitted = vec![self.conditions.never; self.space.graph.len()];
        for (id, node) in self.space.graph.nodes().rev() {
            let alive = match &node.kind {
                NodeKind::Output => self.conditions.always,
                NodeKind::Op(op) if op.reads_inputs() => {
                    emitted.get(id.index()).copied().unwrap_or(self.conditions.never)
                }
                NodeKind::Op(_)
                | NodeKind::Select(_)
                | NodeKind::Input
                | NodeKind::TrainOutput { .. } => continue,
            };
            for (value, when) in self.read_by(id, node, alive) {
                if let Some(slot) = emitted.get_mut(value.index()) {
                    *slot = self.conditions.or(*slot, when);
                }
            }
            self.within_limits()?;
        }
        for (id, _) in self.space.graph.inputs() {
            emitted.get_mut(id.index()).into_iter().for_each(|slot| *slot = self.conditions.always);
        }
        Ok(emitted)
    }

    /// Notes the nodes whose values a node reads where it is alive. A sum does not read zeros.
    fn read_by(&mut self, id: NodeId, node: &Node, alive: Diagram) -> Cases {
        let is_sum = simplified(node) == Some(Simplified::Sum);
        let mut read = Cases::new();
        for &input in &node.inputs {
            for (value, when) in self.conditions.within(&cases_of(&self.values, input), alive) {
                if !(is_sum && self.is_zero(value)) {
                    self.conditions.add(&mut read, value, when);
                }
            }
        }
        for &(value, when) in &read {
            if node.kind == NodeKind::Output {
                self.conditions.add(&mut self.outputs, value, when);
            }
            if let Some(readers) = self.readers.get_mut(value.index()) {
                self.conditions.add(readers, id, when);
            }
        }
        self.operands.get_mut(id.index()).into_iter().for_each(|slot| slot.clone_from(&read));
        read
    }

    /// When something but this reader needs a value as it stands.
    fn needed_beside(&mut self, value: NodeId, reader: NodeId) -> Diagram {
        let others = cases_of(&self.readers, value);
        let others = others.into_iter().filter(|(other, _)| *other != reader).map(|(_, when)| when);
        let mut needed = self.conditions.any(others.collect::<Vec<_>>());
        if self.is_view(value) {
            for (seen, when) in cases_of(&self.operands, value) {
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
                if storage == Storage::Own { Cases::new() } else { cases_of(&self.operands, id) };
            for (value, when) in read {
                let mut when = when;
                if storage == Storage::InPlace {
                    let needed = self.needed_beside(value, id);
                    let free = self.conditions.not(needed);
                    when = self.conditions.and(when, free);
                }
                for (tensor, when) in self.conditions.within(&cases_of(&self.holders, value), when)
                {
                    let is_input = self.is_input(tensor);
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

    fn finish(mut self, emitted: &[Diagram]) -> Result<Tensors, TooMuch> {
        let mut made = Vec::with_capacity(emitted.len());
        let mut reads = Vec::with_capacity(emitted.len());
        for (index, &emitted) in emitted.iter().enumerate() {
            let id = NodeId::new(index);
            let own = cases_of(&self.holders, id).into_iter().find(|(holder, _)| *holder == id);
            let own =
                own.map_or(self.conditions.never, |(_, when)| self.conditions.and(when, emitted));
            made.push(own);
            let read = self.conditions.within(&cases_of(&self.operands, id), own);
            reads.push(self.held(&read));
        }
        let outputs = std::mem::take(&mut self.outputs);
        let kept = self.held(&outputs);
        self.within_limits()?;
        Ok(Tensors { conditions: self.conditions, made, reads, kept })
    }

    /// The tensors that hold these values.
    fn held(&mut self, values: &[(NodeId, Diagram)]) -> Cases {
        let mut held = Cases::new();
        for &(value, when) in values {
            for (tensor, when) in self.conditions.within(&cases_of(&self.holders, value), when) {
                self.conditions.add(&mut held, tensor, when);
            }
        }
        held
    }
}
