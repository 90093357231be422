//! The best order of steps: a search over the sets of steps that are done.
//!
//! As Ahn et al. (2020, "Ordering Chaos: memory-aware scheduling of irregularly wired neural
//! networks for edge devices") do, but a valley splits the search wherever there is one, not only
//! where a single tensor is alive: let `alive(D)` be the bytes that are alive once the set D of
//! steps is done. A tensor counts if its step is in D and not all of its readers are, so that
//! `alive` is submodular: `alive(A ∪ B) + alive(A ∩ B) <= alive(A) + alive(B)`. Hence, of the sets
//! that can be reached from D without exceeding a level which every order needs anyway, let M have
//! the fewest bytes alive. Then an order through M is as good as any: take another order, do the
//! steps of M first, in the way to M, then the rest as it stands; wherever that order was at E, this
//! one is at E ∪ M, which has no more alive, for E ∩ M can be reached within the level too and so has
//! no less alive than M.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nas_ir::measure::Bounds;
use nas_ir::{IdVec, fault};
use rustc_hash::FxHashSet as HashSet;

use super::steps::{Step, Steps};

/// Steps that are done, and what follows from them.
#[derive(Debug, Clone)]
struct State {
    /// A bit for each step.
    done: Box<[u64]>,
    /// How many are done.
    count: usize,
    /// Bytes that are alive.
    alive: u64,
    /// The steps that can be next.
    ready: Vec<usize>,
}

/// The peak of the best order, by a search through so many states at most.
pub(super) fn peak(steps: &Steps, max_states: usize) -> Bounds {
    let steps = &steps.0;
    let mut at = State::start(steps);
    let mut search = Search { steps, level: needed_anyway(steps), states: max_states };
    loop {
        at = search.settled(at, search.level);
        if search.finishes(&at) {
            return Bounds::exactly(search.level);
        }
        match search.climb(&at) {
            Climb::End => return Bounds::exactly(search.level),
            Climb::Valley(valley) => at = valley,
            Climb::TooWide => {
                let at_most = search.greedy(at, u64::MAX).1.max(search.level);
                return Bounds { at_least: search.level, at_most };
            }
        }
    }
}

/// Bytes that every order needs: all inputs at the start, and what a step reads and makes.
fn needed_anyway(steps: &IdVec<usize, Step>) -> u64 {
    let bytes = |index: usize| steps[index].bytes;
    let inputs = sum(steps.rows().iter().filter(|step| step.is_input()).map(|step| step.bytes));
    let own = |step: &Step| step.run(sum(step.reads.iter().map(|&read| bytes(read))), bytes).0;
    steps.rows().iter().map(own).fold(inputs, u64::max)
}

fn sum(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}

impl State {
    /// The inputs are there, nothing is done.
    fn start(steps: &IdVec<usize, Step>) -> Self {
        let words = steps.len().div_ceil(u64::BITS as usize);
        let mut state = Self { done: vec![0; words].into(), count: 0, alive: 0, ready: Vec::new() };
        for (index, step) in steps.iter() {
            if step.is_input() {
                state.mark(index);
                let is_needed = step.is_kept || !step.readers.is_empty();
                state.alive = state.alive.saturating_add(if is_needed { step.bytes } else { 0 });
            }
        }
        let can_start = |(_, step): &(usize, &Step)| !step.is_input() && state.has_all(&step.reads);
        state.ready = steps.iter().filter(can_start).map(|(index, _)| index).collect();
        state
    }

    fn mark(&mut self, step: usize) {
        let word = self.done.get_mut(step / u64::BITS as usize);
        let word = word.unwrap_or_else(|| fault("a step without a bit"));
        *word |= 1 << (step % u64::BITS as usize);
        self.count += 1;
    }

    fn has(&self, step: usize) -> bool {
        let word = self.done.get(step / u64::BITS as usize);
        let word = word.unwrap_or_else(|| fault("a step without a bit"));
        word >> (step % u64::BITS as usize) & 1 == 1
    }

    fn has_all(&self, steps: &[usize]) -> bool {
        steps.iter().all(|&step| self.has(step))
    }

    /// The most bytes alive while a step runs, and those alive after it.
    fn run(&self, steps: &IdVec<usize, Step>, (index, step): (usize, &Step)) -> (u64, u64) {
        step.run(self.alive, |read| {
            let is_done = |&reader: &usize| reader == index || self.has(reader);
            let read = &steps[read];
            if !read.is_kept && read.readers.iter().all(is_done) { read.bytes } else { 0 }
        })
    }

    /// The state after a step that is ready.
    fn then(&self, steps: &IdVec<usize, Step>, index: usize) -> Self {
        let step = &steps[index];
        let mut next = self.clone();
        next.alive = self.run(steps, (index, step)).1;
        next.mark(index);
        next.ready.retain(|&ready| ready != index);
        for &reader in &step.readers {
            if next.has_all(&steps[reader].reads) {
                next.ready.push(reader);
            }
        }
        next
    }
}

/// Where a climb ends.
enum Climb {
    /// With all steps done.
    End,
    /// In a state through which a best order leads.
    Valley(State),
    /// Nowhere: there are too many states.
    TooWide,
}

struct Search<'s> {
    steps: &'s IdVec<usize, Step>,
    /// Bytes that every order needs, as far as known.
    level: u64,
    /// How many states may still be looked at.
    states: usize,
}

impl Search<'_> {
    /// The ready steps of a state.
    fn ready<'s>(&'s self, state: &'s State) -> impl Iterator<Item = (usize, &'s Step)> {
        state.ready.iter().map(|&index| (index, &self.steps[index]))
    }

    /// The state after all steps that leave no more alive and exceed no level: the one-step
    /// valleys.
    fn settled(&self, mut state: State, level: u64) -> State {
        loop {
            let is_free = |&next: &(usize, &Step)| {
                let (most, after) = state.run(self.steps, next);
                most <= level && after <= state.alive
            };
            let Some((index, _)) = self.ready(&state).find(is_free) else { return state };
            state = state.then(self.steps, index);
        }
    }

    /// The state to which greed leads within a level, and the most bytes on the way: the next step
    /// is the one that leaves the least alive.
    fn greedy(&self, mut state: State, level: u64) -> (State, u64) {
        let mut most = state.alive;
        loop {
            let runs = self.ready(&state).map(|next| (state.run(self.steps, next), next.0));
            let fits = runs.filter(|((needed, _), _)| *needed <= level);
            let least = fits.min_by_key(|&((needed, after), index)| (after, needed, index));
            let Some(((needed, _), index)) = least else { return (state, most) };
            most = most.max(needed);
            state = state.then(self.steps, index);
        }
    }

    /// Whether greed finds an order that needs no more than every order does.
    fn finishes(&self, state: &State) -> bool {
        self.greedy(state.clone(), self.level).0.count == self.steps.len()
    }

    /// Looks at the states that follow, those first that exceed the lowest level, until one has no
    /// more alive than the start.
    fn climb(&mut self, start: &State) -> Climb {
        let mut local = start.alive;
        let mut states: IdVec<usize, State> = vec![start.clone()].into();
        let mut seen = HashSet::from_iter([start.done.clone()]);
        let mut valley = start.clone();
        let mut edges = BinaryHeap::new();
        self.edges(start, 0, local, &mut edges);
        while let Some((Reverse(needed), _, Reverse((from, index)))) = edges.pop() {
            if needed > local {
                if valley.count > start.count {
                    return Climb::Valley(valley);
                }
                local = needed;
                if needed > self.level {
                    self.level = needed;
                    if self.finishes(start) {
                        return Climb::End;
                    }
                }
            }
            let next = self.settled(states[from].then(self.steps, index), local);
            if next.count == self.steps.len() {
                return Climb::End;
            }
            if !seen.insert(next.done.clone()) {
                continue;
            }
            let Some(left) = self.states.checked_sub(1) else { return Climb::TooWide };
            self.states = left;
            if (next.alive, Reverse(next.count)) <= (valley.alive, Reverse(valley.count)) {
                valley = next.clone();
            }
            self.edges(&next, states.len(), local, &mut edges);
            states.push(next);
        }
        Climb::TooWide
    }
}

/// A step from a state: the level that the way to it needs, how many steps are done, then the
/// state and the step.
type Edge = (Reverse<u64>, usize, Reverse<(usize, usize)>);

impl Search<'_> {
    fn edges(&self, state: &State, id: usize, local: u64, edges: &mut BinaryHeap<Edge>) {
        for (index, step) in self.ready(state) {
            let needed = state.run(self.steps, (index, step)).0.max(local);
            edges.push((Reverse(needed), state.count, Reverse((id, index))));
        }
    }
}
