//! Which tensors are alive at which steps whatever the order: those that are made from before a
//! step for after it.

use std::cell::RefCell;
use std::ops::Range;

use nas_ir::diagram::Diagram;
use nas_ir::{IdVec, NodeId, NodeKind, Space};
use rustc_hash::FxHashMap as HashMap;

use super::tensors::{Cases, Tensors};
use super::work::MAX_VISITS;

/// When steps lie between a tensor and one of its readers.
pub(super) struct Ways {
    /// For each node, whether it is an input.
    is_input: IdVec<NodeId, bool>,
    /// For each tensor, the steps that read it.
    readers: IdVec<NodeId, Cases>,
    /// For each tensor that was asked for, the steps in between.
    between: RefCell<HashMap<NodeId, Span>>,
}

/// Conditions of steps that follow each other.
#[derive(Default)]
struct Span {
    /// The first step.
    start: usize,
    conditions: Vec<Diagram>,
}

impl Span {
    /// Steps none of which has a condition under which it is meant.
    fn new(steps: Range<usize>, never: Diagram) -> Self {
        Self { start: steps.start, conditions: vec![never; steps.len()] }
    }

    fn get(&self, step: NodeId) -> Option<Diagram> {
        self.conditions.get(step.index().checked_sub(self.start)?).copied()
    }

    fn set(&mut self, step: NodeId, when: Diagram) {
        let place = step.index().checked_sub(self.start);
        let slot = place.and_then(|place| self.conditions.get_mut(place));
        slot.into_iter().for_each(|slot| *slot = when);
    }
}

impl Ways {
    pub(super) fn of(space: &Space, tensors: &Tensors) -> Self {
        let is_input = space.graph.nodes().map(|(_, node)| node.kind == NodeKind::Input).collect();
        let mut readers = space.graph.table(Cases::new());
        for (reader, reads) in tensors.reads.iter() {
            for &(tensor, when) in reads {
                readers[tensor].push((reader, when));
            }
        }
        Self { is_input, readers, between: RefCell::default() }
    }

    pub(super) fn is_input(&self, node: NodeId) -> bool {
        self.is_input[node]
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
        steps.get(step).unwrap_or(tensors.conditions.never)
    }

    fn all_between(&self, tensor: NodeId, tensors: &mut Tensors) -> Span {
        // What is left out is only what makes the bounds tighter.
        if tensors.conditions.store.visits() > MAX_VISITS {
            return Span::default();
        }
        let mut both = self.after(tensor, tensors);
        let before = self.before(tensor, tensors);
        for (after, before) in both.conditions.iter_mut().zip(before.conditions) {
            *after = tensors.conditions.and(*after, before);
        }
        both
    }

    /// The steps that a tensor is asked about: up to its last reader.
    fn span(&self, tensor: NodeId, tensors: &Tensors) -> Range<usize> {
        let first = if self.is_input(tensor) { 0 } else { tensor.index() + 1 };
        let reader = self.readers[tensor].last();
        let is_kept = tensors.kept.iter().any(|(kept, _)| *kept == tensor);
        // What nothing reads is asked about nowhere.
        let last =
            if is_kept { tensors.made.len() } else { reader.map_or(0, |(last, _)| last.index()) };
        first..last
    }

    /// When steps come after a tensor is made.
    fn after(&self, tensor: NodeId, tensors: &mut Tensors) -> Span {
        let span = self.span(tensor, tensors);
        let Tensors { conditions, made, reads, .. } = tensors;
        let mut after = Span::new(span.clone(), conditions.never);
        for step in span.map(NodeId::new) {
            if self.is_input(tensor) {
                after.set(step, made[step]);
                continue;
            }
            let mut when = conditions.never;
            for &(read, reads) in &reads[step] {
                let before = if read == tensor { Some(conditions.always) } else { after.get(read) };
                let before =
                    before.map_or(conditions.never, |before| conditions.and(reads, before));
                when = conditions.or(when, before);
            }
            after.set(step, when);
        }
        after
    }

    /// When steps come before a reader of a tensor, or the tensor is kept.
    fn before(&self, tensor: NodeId, tensors: &mut Tensors) -> Span {
        let span = self.span(tensor, tensors);
        let Tensors { conditions, reads, kept, .. } = tensors;
        let kept = kept.iter().find(|(kept, _)| *kept == tensor).map(|&(_, when)| when);
        let mut before = Span::new(span.start..span.end + 1, conditions.never);
        for &(reader, when) in &self.readers[tensor] {
            before.set(reader, when);
        }
        for step in (span.start..=span.end).rev().map(NodeId::new) {
            let mut when = before.get(step).unwrap_or(conditions.never);
            if let Some(kept) = kept {
                when = conditions.or(when, kept);
                before.set(step, when);
            }
            // After the last step nothing is read.
            if when == conditions.never || step.index() == reads.len() {
                continue;
            }
            for &(read, reads) in &reads[step] {
                if read == tensor || (read < tensor && !self.is_input(tensor)) {
                    continue;
                }
                let earlier = conditions.and(reads, when);
                let known = before.get(read).unwrap_or(conditions.never);
                before.set(read, conditions.or(known, earlier));
            }
        }
        before
    }
}
