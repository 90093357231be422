//! Which candidates a space must do without, so that a target runs what is left.

use std::collections::BTreeSet;

use indexmap::IndexSet;
use nas_ir::diagram::Diagram;
use nas_ir::liveness::Liveness;
use nas_ir::{DecisionId, Space};

use crate::removal::Candidates;

/// What [`blame_all`] finds.
#[derive(Debug, Default)]
pub(super) struct Blamed {
    /// The candidates that have to go.
    pub(super) gone: Candidates,
    /// The decisions of which each candidate would have to go; all of them stay.
    pub(super) hopeless: Vec<DecisionId>,
}

/// The candidates without which nothing of several things is left that are bad, each in some networks
/// only. Where that leaves no network, those things are left aside to which every candidate of a
/// decision leads, one or another: such a decision is hopeless.
pub(super) fn blame_all(
    space: &Space,
    liveness: &mut Liveness,
    bads: &IndexSet<Diagram>,
) -> Blamed {
    let bad = any(liveness, bads.iter());
    if bad != liveness.conditions.constant(1) {
        return Blamed { gone: blame(space, liveness, bad), hopeless: Vec::new() };
    }
    let alone: Vec<Candidates> = bads.iter().map(|&bad| blame(space, liveness, bad)).collect();
    let is_hopeless = |id: DecisionId, width: usize| {
        let gone = alone.iter().flatten().filter(|(other, _)| *other == id);
        gone.map(|(_, candidate)| *candidate).collect::<BTreeSet<usize>>().len() == width
    };
    let decisions = space.decision_ids();
    let hopeless: Vec<DecisionId> = decisions
        .filter(|(id, decision)| is_hopeless(*id, decision.candidates.len()))
        .map(|(id, _)| id)
        .collect();
    let is_aside = |gone: &Candidates| gone.iter().any(|(id, _)| hopeless.contains(id));
    let hopeful = bads.iter().zip(&alone).filter(|(_, gone)| !is_aside(gone));
    let bad = any(liveness, hopeful.map(|(bad, _)| bad));
    Blamed { gone: blame(space, liveness, bad), hopeless }
}

fn any<'d>(liveness: &mut Liveness, bads: impl Iterator<Item = &'d Diagram>) -> Diagram {
    let never = liveness.conditions.constant(0);
    bads.fold(never, |all, &bad| liveness.conditions.or(all, bad))
}

/// The candidates without which nothing `bad` is left, where something is that is not. A candidate
/// goes where all networks with it are bad, those of outer decisions first; where several choices are
/// bad together only, the candidate of the last of them goes.
fn blame(space: &Space, liveness: &mut Liveness, bad: Diagram) -> Candidates {
    let left = liveness.conditions.constant(1);
    let mut blame = Blame { space, liveness, bad, left, gone: Candidates::new() };
    // What it does not depend on leads nowhere else.
    let decisions = blame.liveness.conditions.decisions(bad);
    decisions.into_iter().for_each(|id| blame.alone(id));
    let alone = blame.gone.len();
    while blame.together() {}
    if blame.gone.len() > alone {
        blame.put_back();
    }
    blame.gone
}

struct Blame<'s, 'l> {
    space: &'s Space,
    liveness: &'l mut Liveness,
    bad: Diagram,
    /// Where no candidate is taken that is gone.
    left: Diagram,
    gone: Candidates,
}

impl Blame<'_, '_> {
    fn width(&self, id: DecisionId) -> usize {
        self.space[id].candidates.len()
    }

    /// Where a decision matters and takes a candidate.
    fn takes(&mut self, id: DecisionId, candidate: usize) -> Diagram {
        let (width, matters) = (self.width(id), self.liveness.decision(id));
        let store = &mut self.liveness.conditions;
        let choice = store.choice(id, width);
        let taken = store.is(choice, candidate as u32);
        store.and(matters, taken)
    }

    fn without(&mut self, here: Diagram, there: Diagram) -> Diagram {
        let store = &mut self.liveness.conditions;
        let other = store.rename(there, &|holds| u32::from(holds == 0));
        store.and(here, other)
    }

    /// Removes candidates of a decision; `false` if it would keep none.
    fn remove(&mut self, id: DecisionId, candidates: &[usize]) -> bool {
        let gone = self.gone.iter().filter(|(other, _)| *other == id).count();
        if gone + candidates.len() >= self.width(id) {
            return false;
        }
        for &candidate in candidates {
            self.gone.push((id, candidate));
            let taken = self.takes(id, candidate);
            self.left = self.without(self.left, taken);
        }
        true
    }

    /// Removes the candidates of a decision with which every network that is left is bad. If these
    /// are all that it has, choices before it are bad together.
    fn alone(&mut self, id: DecisionId) {
        let never = self.liveness.conditions.constant(0);
        let (left, bad) = (self.left, self.bad);
        let mut candidates = Vec::new();
        for candidate in 0..self.width(id) {
            let taken = self.takes(id, candidate);
            let here = self.liveness.conditions.and(left, taken);
            if here != never && self.without(here, bad) == never {
                candidates.push(candidate);
            }
        }
        self.remove(id, &candidates);
    }

    /// Removes the last of some choices that are bad together; `false` if there are none.
    fn together(&mut self) -> bool {
        let (left, bad) = (self.left, self.bad);
        let choices = self.liveness.conditions.explain(left, bad);
        let last = choices.and_then(|choices| choices.into_iter().max());
        // INVARIANT: the last candidate that a decision keeps is in no smallest set of choices.
        last.is_some_and(|(id, candidate)| self.remove(id, &[candidate]))
    }

    /// Puts back what went in vain, as what went after it leaves nothing bad without it.
    fn put_back(&mut self) {
        let never = self.liveness.conditions.constant(0);
        let mut index = 0;
        while index < self.gone.len() {
            let mut others = self.gone.clone();
            others.remove(index);
            let mut open = self.bad;
            for &(id, candidate) in &others {
                let taken = self.takes(id, candidate);
                open = self.without(open, taken);
            }
            if open == never {
                self.gone = others;
            } else {
                index += 1;
            }
        }
    }
}
