//! The steps in which a network runs: its operators, less those that need no memory of their own,
//! and with those that a best order runs one right after the other put into one.

use nas_ir::ops::Storage;
use nas_ir::{IdVec, fault};
use rustc_hash::FxHashSet as HashSet;

use super::tensor::Tensor;

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
pub(super) struct Steps(pub(super) IdVec<usize, Step>);

impl Steps {
    pub(super) fn of(tensors: &[Tensor]) -> Self {
        let mut builder =
            Builder { steps: IdVec::default(), uses: IdVec::default(), step_of: IdVec::default() };
        for (tensor, uses) in tensors.iter().zip(uses(tensors)) {
            builder.tensor(tensor, uses);
        }
        Self(builder.steps)
    }

    /// With each step that can as well run right before its only reader made a part of that.
    pub(super) fn joined(self) -> Self {
        let mut joined: IdVec<usize, Option<Step>> = IdVec::with_capacity(self.0.len());
        for mut step in self.0 {
            for read in step.reads.clone() {
                let fits = |earlier: &&Step| can_wait(earlier, &step, &joined);
                if joined[read].as_ref().filter(fits).is_some()
                    && let Some(earlier) = joined[read].take()
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
fn can_wait(step: &Step, reader: &Step, steps: &IdVec<usize, Option<Step>>) -> bool {
    if step.is_kept || step.is_input() || step.readers.len() != 1 || step.reads.len() > MAX_READS {
        return false;
    }
    // What is kept does not become free, nor is there a tensor of what became a part.
    let bytes = |read: usize| match &steps[read] {
        Some(read) if !read.is_kept => read.bytes,
        _ => 0,
    };
    let before = step.reads.iter().map(|&read| bytes(read)).fold(0, u64::saturating_add);
    let own = reader.parts.last().unwrap_or_else(|| fault("an input that reads")).bytes;
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
    let mut own = reader.parts.pop().unwrap_or_else(|| fault("an input that reads"));
    own.frees = own.frees.saturating_add(earlier.bytes);
    reader.parts.extend(earlier.parts);
    reader.parts.push(own);
    reader.reads.extend(earlier.reads);
    let mut seen = HashSet::from_iter([index]);
    reader.reads.retain(|&read| seen.insert(read));
    let mut seen = HashSet::from_iter([index]);
    for part in reader.parts.iter_mut().rev() {
        part.reads.retain(|&read| seen.insert(read));
    }
}

/// The steps that are left, by their new numbers.
fn renumbered(steps: IdVec<usize, Option<Step>>) -> Steps {
    let mut numbers: IdVec<usize, usize> = IdVec::with_capacity(steps.len());
    let mut left: IdVec<usize, Step> = IdVec::default();
    for step in steps {
        numbers.push(left.len());
        let Some(mut step) = step else { continue };
        let number = |read: &mut usize| *read = numbers[*read];
        step.reads.iter_mut().for_each(number);
        step.parts.iter_mut().flat_map(|part| &mut part.reads).for_each(number);
        step.readers.clear();
        let own = left.len();
        for &read in &step.reads {
            left[read].readers.push(own);
        }
        left.push(step);
    }
    Steps(left)
}

/// How often each tensor is read or is an output.
fn uses(tensors: &[Tensor]) -> IdVec<usize, usize> {
    let mut uses: IdVec<usize, usize> =
        tensors.iter().map(|tensor| usize::from(tensor.is_output)).collect();
    for &used in tensors.iter().flat_map(|tensor| &tensor.reads) {
        uses[used] += 1;
    }
    uses
}

struct Builder {
    steps: IdVec<usize, Step>,
    /// For each step, how often its tensor is used outside of those that share it.
    uses: IdVec<usize, usize>,
    /// For each tensor, the step that has it.
    step_of: IdVec<usize, usize>,
}

impl Builder {
    fn tensor(&mut self, tensor: &Tensor, uses: usize) {
        let step = match self.shared(tensor) {
            Some(step) => {
                // What was one use is now those of this tensor.
                self.uses[step] = self.uses[step] - 1 + uses;
                step
            }
            None => self.step(tensor, uses),
        };
        self.steps[step].is_kept |= tensor.is_output;
        self.step_of.push(step);
    }

    /// The step whose tensor this one is put into, if it has none of its own.
    fn shared(&self, tensor: &Tensor) -> Option<usize> {
        let step = self.step_of[*tensor.reads.first()?];
        // Numbers of another precision need another tensor.
        let fits = || self.steps[step].bytes == tensor.bytes;
        let is_free = || !self.steps[step].is_input() && self.uses[step] == 1 && fits();
        match tensor.storage? {
            Storage::View => Some(step),
            Storage::InPlace => is_free().then_some(step),
            Storage::Own => None,
        }
    }

    fn step(&mut self, tensor: &Tensor, uses: usize) -> usize {
        let reads = tensor.reads.iter().map(|&read| self.step_of[read]);
        let mut reads: Vec<usize> = reads.collect();
        reads.sort_unstable();
        reads.dedup();
        let index = self.steps.len();
        for &read in &reads {
            self.steps[read].readers.push(index);
        }
        let is_input = tensor.storage.is_none();
        self.steps.push(if is_input {
            Step::input(tensor.bytes)
        } else {
            Step::new(tensor.bytes, reads)
        });
        self.uses.push(uses);
        index
    }
}
