//! Which tensors are alive at which steps whatever the order: those that are made from before a
//! step for after it.

use std::cell::RefCell;

use nas_ir::diagram::Diagram;
use nas_ir::{NodeId, NodeKind, Space};
use rustc_hash::FxHashMap as HashMap;

use super::tensors::{Cases, Tensors};
use super::work::MAX_VISITS;

/// When steps lie between a tensor and one of its readers.
pub(super) struct Ways {
    /// For each node, whether it is an input.
    is_input: Vec<bool>,
    /// For each tensor, the steps that read it.
    readers: Vec<Cases>,
    /// For each tensor that was asked for, the steps in between.
    between: RefCell<HashMap<NodeId, HashMap<NodeId, Diagram>>>,
}

impl Ways {
    pub(super) fn of(space: &Space, tensors: &Tensors) -> Self {
        let is_input = space.graph.nodes().map(|(_, node)| node.kind == NodeKind::Input).collect();
        let mut readers = vec![Cases::new(); tensors.reads.len()];
        for (index, reads) in tensors.reads.iter().enumerate() {
            for &(tensor, when) in reads {
                let slot = readers.get_mut(tensor.index());
                slot.into_iter().for_each(|slot| slot.push((NodeId::new(index), when)));
            }
        }
        Self { is_input, readers, between: RefCell::default() }
    }

    pub(super) fn is_input(&self, node: NodeId) -> bool {
        self.is_input.get(node.index()) == Some(&true)
    }

    /// Of the tensors that are alive at a step, those that are so in every order.
    pub(super) fn needed(
        &self,
        step: NodeId,
        alive: &[(NodeId, Diagram)],
        read: &[(NodeId, Diagram)],
        tensors: &mut Tensors,
    ) -> Cases {
        let mut needed = Cases::new();
        for &(tensor, when) in alive {
            let read = read.iter().find(|(other, _)| *other == tensor);
            let mut sure = read.map_or(tensors.conditions.never, |&(_, read)| read);
            if tensor == step {
                sure = when;
            } else if sure != when {
                let between = self.between(tensor, step, tensors);
                sure = tensors.conditions.or(sure, between);
            }
            tensors.conditions.add(&mut needed, tensor, sure);
        }
        needed
    }

    /// When a step comes after the making of a tensor and before a reader of it in every order.
    fn between(&self, tensor: NodeId, step: NodeId, tensors: &mut Tensors) -> Diagram {
        let mut known = self.between.borrow_mut();
        let steps = known.entry(tensor).or_insert_with(|| self.all_between(tensor, tensors));
        steps.get(&step).copied().unwrap_or(tensors.conditions.never)
    }

    fn all_between(&self, tensor: NodeId, tensors: &mut Tensors) -> HashMap<NodeId, Diagram> {
        // What is left out is only what makes the bounds tighter.
        if tensors.conditions.store.visits() > MAX_VISITS {
            return HashMap::default();
        }
        let after = self.after(tensor, tensors);
        let before = self.before(tensor, tensors);
        let both = after.into_iter().filter_map(|(step, after)| {
            let before = *before.get(&step)?;
            Some((step, tensors.conditions.and(after, before)))
        });
        both.collect()
    }

    /// The steps that a tensor is asked about: up to its last reader.
    fn span(&self, tensor: NodeId, tensors: &Tensors) -> std::ops::Range<usize> {
        let first = if self.is_input(tensor) { 0 } else { tensor.index() + 1 };
        let readers = self.readers.get(tensor.index()).and_then(|readers| readers.last());
        let is_kept = tensors.kept.iter().any(|(kept, _)| *kept == tensor);
        let last =
            if is_kept { tensors.made.len() } else { readers.map_or(0, |(last, _)| last.index()) };
        first..last
    }

    /// When steps come after a tensor is made.
    fn after(&self, tensor: NodeId, tensors: &mut Tensors) -> HashMap<NodeId, Diagram> {
        let mut after: HashMap<NodeId, Diagram> = HashMap::default();
        for step in self.span(tensor, tensors).map(NodeId::new) {
            let made = tensors.made.get(step.index()).copied();
            if self.is_input(tensor) {
                after.extend(made.map(|made| (step, made)));
                continue;
            }
            let mut when = tensors.conditions.never;
            for (read, reads) in tensors.reads.get(step.index()).cloned().unwrap_or_default() {
                let before = if read == tensor { Some(reads) } else { after.get(&read).copied() };
                let before = before.map(|before| tensors.conditions.and(reads, before));
                when = before.map_or(when, |before| tensors.conditions.or(when, before));
            }
            if when != tensors.conditions.never {
                after.insert(step, when);
            }
        }
        after
    }

    /// When steps come before a reader of a tensor, or the tensor is kept.
    fn before(&self, tensor: NodeId, tensors: &mut Tensors) -> HashMap<NodeId, Diagram> {
        let mut before: HashMap<NodeId, Diagram> = HashMap::default();
        let kept = tensors.kept.iter().find(|(kept, _)| *kept == tensor).map(|&(_, when)| when);
        let readers = self.readers.get(tensor.index()).cloned().unwrap_or_default();
        before.extend(readers);
        let span = self.span(tensor, tensors);
        for step in (span.start..=span.end).rev().map(NodeId::new) {
            if let Some(kept) = kept {
                let known = before.get(&step).copied().unwrap_or(tensors.conditions.never);
                before.insert(step, tensors.conditions.or(known, kept));
            }
            let Some(&when) = before.get(&step) else { continue };
            for (read, reads) in tensors.reads.get(step.index()).cloned().unwrap_or_default() {
                if read == tensor || (read < tensor && !self.is_input(tensor)) {
                    continue;
                }
                let earlier = tensors.conditions.and(reads, when);
                let known = before.get(&read).copied().unwrap_or(tensors.conditions.never);
                before.insert(read, tensors.conditions.or(known, earlier));
            }
        }
        before
    }
}
