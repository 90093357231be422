//! What is alive at each step of a space, as functions of the decisions.

use nas_ir::diagram::{Combine, Diagram, Diagrams, Top};
use nas_ir::{Assignment, Checked, IdVec, NodeId, NodeKind, Space, fault};
use rustc_hash::FxHashMap as HashMap;

use super::super::elimination::{Semiring, eliminate};
use super::tensors::{Cases, Tensors};
use super::ways::Ways;
use super::work::MAX_VISITS;
use super::work::TooMuch;

/// One of the ends of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Least,
    Greatest,
}

/// The most of several figures; of them, the least or the greatest is kept.
struct Most(End);

impl Semiring for Most {
    type Value = u64;

    fn one(&self) -> u64 {
        0
    }

    fn combine(&self, a: &u64, b: &u64) -> u64 {
        *a.max(b)
    }

    fn summarise(&self, a: &u64, b: &u64) -> u64 {
        if self.0 == End::Greatest { *a.max(b) } else { *a.min(b) }
    }

    fn repeat(&self, value: &u64, _candidates: usize) -> u64 {
        *value
    }
}

/// The bytes alive at each step, as functions of the decisions.
pub(super) struct Alive {
    pub(super) store: Diagrams<u64>,
    /// In the order in which the space stands.
    pub(super) written: Vec<Diagram>,
    /// In every order.
    pub(super) needed: Vec<Diagram>,
}

impl Alive {
    /// # Errors
    /// [`TooMuch`] where the functions are too large.
    pub(super) fn of(space: &Checked<Space>) -> Result<Self, TooMuch> {
        let tensors = Tensors::of(space)?;
        let mut builder = Builder::new(space, tensors);
        builder.start();
        builder.steps()?;
        let Builder { mut store, mut written, mut needed, .. } = builder;
        // What every network needs hides the steps that never need more.
        let ends = store.ends();
        let floor = needed.iter().map(|&factor| ends.of(factor).0).max();
        let floor = floor.unwrap_or_else(|| fault("a space without a start"));
        let constant = store.constant(floor);
        for factors in [&mut written, &mut needed] {
            factors.sort_unstable();
            factors.dedup();
            factors.retain(|&factor| ends.of(factor).1 > floor);
            factors.push(constant);
        }
        Ok(Self { store, written, needed })
    }

    /// The least or the greatest of the maxima of these functions, and where it is.
    pub(super) fn end(
        &self,
        space: &Checked<Space>,
        factors: &[Diagram],
        end: End,
    ) -> Result<(u64, Assignment), TooMuch> {
        let factors = factors.to_vec();
        let found = eliminate(&Most(end), self.store.clone(), factors, &space.widths())?;
        let mut assignment = space.first_assignment();
        for (decision, &bucket) in found.buckets.iter() {
            let Top::Branch(first, children) = found.store.top(bucket) else { continue };
            if first != decision {
                continue;
            }
            let value = |&child: &Diagram| *found.store.value(child, &assignment);
            let values = children.iter().map(value).enumerate();
            let best = match end {
                End::Least => values.min_by_key(|&(_, value)| value),
                End::Greatest => values.rev().max_by_key(|&(_, value)| value),
            };
            let (candidate, _) = best.unwrap_or_else(|| fault("a decision without candidates"));
            assignment.set(decision, candidate);
        }
        Ok((found.value, assignment))
    }
}

struct Builder<'s> {
    space: &'s Space,
    tensors: Tensors,
    store: Diagrams<u64>,
    holds: HashMap<Diagram, Diagram>,
    sums: HashMap<(Diagram, Diagram), Diagram>,
    products: HashMap<(Diagram, Diagram), Diagram>,
    /// For each node, the bytes of its value.
    bytes: IdVec<NodeId, Diagram>,
    written: Vec<Diagram>,
    needed: Vec<Diagram>,
}

impl<'s> Builder<'s> {
    fn new(space: &'s Space, tensors: Tensors) -> Self {
        let mut store = Diagrams::default();
        let mut bytes = IdVec::with_capacity(space.graph.len());
        let (mut numbers, mut products) = (HashMap::default(), HashMap::default());
        for (id, node) in space.graph.nodes() {
            let elements = |index: usize| {
                let shape = node.shape.values().get(index);
                shape.unwrap_or_else(|| fault("a node without a shape")).elements()
            };
            let elements = match node.shape.selector() {
                None => store.constant(elements(0)),
                Some(selector) => {
                    let of = |index: &u32| elements(*index as usize);
                    space.selectors.map(selector, &mut store, &of, &mut HashMap::default())
                }
            };
            let number = |bytes: &u32| u64::from(*bytes);
            let number = tensors.conditions.store.map(
                tensors.numbers[id],
                &mut store,
                &number,
                &mut numbers,
            );
            let product = |a: &u64, b: &u64| a.saturating_mul(*b);
            let combine = Combine::by(&product);
            bytes.push(store.apply(elements, number, &combine, &mut products));
        }
        Self {
            space,
            tensors,
            store,
            holds: HashMap::default(),
            sums: HashMap::default(),
            products,
            bytes,
            written: Vec::new(),
            needed: Vec::new(),
        }
    }

    /// The sum of the bytes of tensors, each where its condition holds.
    fn sum(&mut self, tensors: &[(NodeId, Diagram)]) -> Diagram {
        let mut sum = self.store.constant(0);
        for &(tensor, when) in tensors {
            let bytes = self.bytes[tensor];
            let store = &self.tensors.conditions.store;
            let holds = |holds: &u32| u64::from(*holds);
            let when = store.map(when, &mut self.store, &holds, &mut self.holds);
            let bytes = self.store.apply(
                when,
                bytes,
                &Combine::by(&|a, b| a.saturating_mul(*b)),
                &mut self.products,
            );
            sum = self.store.apply(
                sum,
                bytes,
                &Combine::by(&|a, b| a.saturating_add(*b)),
                &mut self.sums,
            );
        }
        sum
    }

    /// All inputs are there at the start.
    fn start(&mut self) {
        let always = self.tensors.conditions.always;
        let inputs: Cases = self.space.graph.inputs().map(|(id, _)| (id, always)).collect();
        let inputs = self.sum(&inputs);
        self.written.push(inputs);
        self.needed.push(inputs);
    }

    /// Goes through the steps from the last to the first, with what is still to be read.
    fn steps(&mut self) -> Result<(), TooMuch> {
        let mut awaited = self.tensors.kept.clone();
        let ways = Ways::of(self.space, &self.tensors);
        for (id, node) in self.space.graph.nodes().rev() {
            let made = self.tensors.made[id];
            if !matches!(node.kind, NodeKind::Op(_)) || made == self.tensors.conditions.never {
                continue;
            }
            let read = self.tensors.reads[id].clone();
            for &(tensor, when) in &read {
                self.tensors.conditions.add(&mut awaited, tensor, when);
            }
            awaited.retain(|(tensor, _)| *tensor != id);
            let mut alive = self.tensors.conditions.within(&awaited, made);
            alive.retain(|(tensor, _)| *tensor < id || ways.is_input(*tensor));
            alive.push((id, made));
            let needed = ways.needed(id, &alive, &read, &mut self.tensors);
            let written = self.sum(&alive);
            self.written.push(written);
            let needed = self.sum(&needed);
            self.needed.push(needed);
            let visits = self.store.visits() + self.tensors.conditions.store.visits();
            if self.store.is_full() || visits > 2 * MAX_VISITS {
                return Err(TooMuch);
            }
        }
        Ok(())
    }
}
