//! The steps in which a network runs: its operators, less those that need no memory of their own,
//! and with those that a best order runs one right after the other put into one.

use nas_ir::network::NetworkNode;
use nas_ir::ops::Storage;
use nas_ir::{Network, Op};
use rustc_hash::FxHashSet as HashSet;

/// A step and the tensor that it makes. An input is a step that is done from the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes of the tensor.
    pub(super) bytes: u64,
    /// The steps whose tensors it reads, each once.
    pub(super) reads: Vec<usize>,
    /// The steps that read its tensor.
    pub(super) readers: Vec<usize>,
    /// Whether its tensor is an output, and alive until the end.
    pub(super) is_kept: bool,
    /// What runs in it, one after the other; nothing if it is an input of the network.
    pub(super) parts: Vec<Part>,
}

/// An operator of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Bytes of the tensor that it makes.
    bytes: u64,
    /// Bytes of the tensors of earlier parts that it reads; nothing else does.
    frees: u64,
    /// The steps whose tensors it reads, and no later part.
    reads: Vec<usize>,
}

impl Step {
    /// A step of one operator.
    pub(super) fn new(bytes: u64, reads: Vec<usize>) -> Self {
        let parts = vec![Part { bytes, frees: 0, reads: reads.clone() }];
        Self { bytes, reads, parts, ..Self::default() }
    }

    /// An input of the network.
    pub(super) fn input(bytes: u64) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(super) fn is_input(&self) -> bool {
        self.parts.is_empty()
    }

    /// The most bytes alive while it runs, and those alive then, if so many were before; `freed` is
    /// what becomes free of the tensor of a step once the last part that reads it has run.
    pub(super) fn run(&self, mut alive: u64, freed: impl Fn(usize) -> u64) -> (u64, u64) {
        let mut most = alive;
        for part in &self.parts {
            alive = alive.saturating_add(part.bytes);
            most = most.max(alive);
            let read =
                part.reads.iter().map(|&read| freed(read)).fold(part.frees, u64::saturating_add);
            alive = alive.saturating_sub(read);
        }
        (most, alive)
    }
}

/// The steps of a network, what a step reads before the step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    pub(super) fn of(network: &Network) -> Self {
        let mut builder = Builder {
            steps: Vec::new(),
            uses: Vec::new(),
            step_of: Vec::new(),
            bytes: network.precision.bytes(),
        };
        let uses = uses(network);
        for (node, uses) in network.nodes.iter().zip(uses) {
            builder.node(node, uses);
        }
        builder.finish(network)
    }

    /// With each step that can as well run right before its only reader made a part of that.
    pub(super) fn joined(self) -> Self {
        let mut joined: Vec<Option<Step>> = Vec::with_capacity(self.0.len());
        for mut step in self.0 {
            for read in step.reads.clone() {
                let fits = |earlier: &&Step| can_wait(earlier, &step, &joined);
                if joined.get(read).and_then(Option::as_ref).filter(fits).is_some()
                    && let Some(earlier) = joined.get_mut(read).and_then(Option::take)
                {
                    join(earlier, read, &mut step);
                }
            }
            joined.push(Some(step));
        }
        renumbered(joined)
    }
}

/// The most tensors that a step which waits may read: for each set of them that it is the last to
/// read, what follows is computed.
const MAX_READS: usize = 4;

/// Whether the best order may have a step right before its only reader, whatever is done until
/// then.
///
/// It may if the step never leaves less alive than there was, for then to do it later does no harm
/// on the way, and if it never needs more than its reader needs right after it.
fn can_wait(step: &Step, reader: &Step, steps: &[Option<Step>]) -> bool {
    if step.is_kept || step.is_input() || step.readers.len() != 1 || step.reads.len() > MAX_READS {
        return false;
    }
    let tensor = |read: usize| steps.get(read).and_then(Option::as_ref);
    let bytes =
        |read: usize| tensor(read).filter(|read| !read.is_kept).map_or(0, |read| read.bytes);
    let before = step.reads.iter().map(|&read| bytes(read)).fold(0, u64::saturating_add);
    let own = reader.parts.last().map_or(0, |part| part.bytes);
    (0..1u32 << step.reads.len()).all(|last_readers| {
        let is_last = |read| {
            let place = step.reads.iter().position(|&other| other == read);
            place.is_some_and(|place| last_readers >> place & 1 == 1)
        };
        let (most, after) = step.run(before, |read| if is_last(read) { bytes(read) } else { 0 });
        after >= before && most <= after.saturating_add(own)
    })
}

/// Makes a step a part of its only reader, right before the last part of that.
fn join(earlier: Step, index: usize, reader: &mut Step) {
    if let Some(mut own) = reader.parts.pop() {
        own.frees = own.frees.saturating_add(earlier.bytes);
        reader.parts.extend(earlier.parts);
        reader.parts.push(own);
    }
    reader.reads.extend(earlier.reads);
    let mut seen = HashSet::from_iter([index]);
    reader.reads.retain(|&read| seen.insert(read));
    let mut seen = HashSet::from_iter([index]);
    for part in reader.parts.iter_mut().rev() {
        part.reads.retain(|&read| seen.insert(read));
    }
}

/// The steps that are left, by their new numbers.
fn renumbered(steps: Vec<Option<Step>>) -> Steps {
    let mut numbers = Vec::with_capacity(steps.len());
    let mut left: Vec<Step> = Vec::new();
    for step in steps {
        numbers.push(left.len());
        let Some(mut step) = step else { continue };
        let number = |read: &mut usize| *read = numbers.get(*read).copied().unwrap_or_default();
        step.reads.iter_mut().for_each(number);
        step.parts.iter_mut().flat_map(|part| &mut part.reads).for_each(number);
        step.readers.clear();
        let own = left.len();
        for &read in &step.reads {
            left.get_mut(read).into_iter().for_each(|read| read.readers.push(own));
        }
        left.push(step);
    }
    Steps(left)
}

/// How often the value of each node is read or is an output.
fn uses(network: &Network) -> Vec<usize> {
    let mut uses = vec![0; network.nodes.len()];
    let operands = network.nodes.iter().flat_map(|node| &node.inputs);
    for &used in operands.chain(network.outputs.iter().map(|port| &port.node)) {
        uses.get_mut(used).into_iter().for_each(|uses| *uses += 1);
    }
    uses
}

struct Builder {
    steps: Vec<Step>,
    /// For each step, how often its tensor is used outside of the nodes that share it.
    uses: Vec<usize>,
    /// For each node, the step whose tensor holds its value.
    step_of: Vec<usize>,
    /// Bytes of a number.
    bytes: u64,
}

impl Builder {
    fn node(&mut self, node: &NetworkNode, uses: usize) {
        let step = match self.shared(node) {
            Some(step) => {
                // What was one use is now those of this node.
                let shared = self.uses.get_mut(step);
                shared.into_iter().for_each(|shared| *shared = *shared - 1 + uses);
                step
            }
            None => self.step(node, uses),
        };
        self.step_of.push(step);
    }

    /// The step whose tensor the value of a node is put into, if it has none of its own.
    fn shared(&self, node: &NetworkNode) -> Option<usize> {
        let step = *self.step_of.get(*node.inputs.first()?)?;
        let is_free = || {
            let is_input = self.steps.get(step).is_some_and(Step::is_input);
            !is_input && self.uses.get(step) == Some(&1)
        };
        match node.op.as_ref().map(Op::storage)? {
            Storage::View => Some(step),
            Storage::InPlace => is_free().then_some(step),
            Storage::Own => None,
        }
    }

    fn step(&mut self, node: &NetworkNode, uses: usize) -> usize {
        let reads = node.inputs.iter().filter_map(|&input| self.step_of.get(input).copied());
        let mut reads: Vec<usize> = reads.collect();
        reads.sort_unstable();
        reads.dedup();
        let index = self.steps.len();
        for &read in &reads {
            self.steps.get_mut(read).into_iter().for_each(|step| step.readers.push(index));
        }
        let bytes = node.shape.elements().saturating_mul(self.bytes);
        let is_input = node.op.is_none();
        self.steps.push(if is_input { Step::input(bytes) } else { Step::new(bytes, reads) });
        self.uses.push(uses);
        index
    }

    fn finish(mut self, network: &Network) -> Steps {
        for port in &network.outputs {
            let step = self.step_of.get(port.node).and_then(|&step| self.steps.get_mut(step));
            step.into_iter().for_each(|step| step.is_kept = true);
        }
        Steps(self.steps)
    }
}
