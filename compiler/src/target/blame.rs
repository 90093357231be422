//! Which candidates a space must do without, so that a target runs what is left.

use std::collections::BTreeSet;

use crate::analyse::liveness::Liveness;
use crate::diagram::Diagram;
use crate::ir::{DecisionId, Space};

/// Candidates, by decision and index; those of outer decisions first.
pub(super) type Candidates = Vec<(DecisionId, usize)>;

/// What [`blame_all`] finds.
#[derive(Debug, Default)]
pub(super) struct Blamed {
    /// The candidates that have to go.
    pub(super) gone: Candidates,
    /// The decisions of which each candidate would have to go; all of them stay.
    pub(super) hopeless: Vec<DecisionId>,
}

/// The candidates without which nothing `bad` is left. A candidate goes where all networks with it
/// are bad, those of outer decisions first; where several choices are bad together only, the
/// candidate of the last of them goes.
fn blame(space: &Space, liveness: &mut Liveness, bad: Diagram) -> Blamed {
    let left = liveness.conditions.constant(1);
    let mut blame = Blame { space, liveness, bad, left, found: Blamed::default() };
    // What it does not depend on leads nowhere else.
    let decisions = blame.liveness.conditions.decisions(bad);
    decisions.into_iter().for_each(|id| blame.alone(id));
    while blame.found.hopeless.is_empty() && blame.together() {}
    blame.found
}

/// As [`blame`], of several things that are bad. Those to which every candidate of a decision leads,
/// one or another, are left aside: such a decision is hopeless.
pub(super) fn blame_all(space: &Space, liveness: &mut Liveness, bads: &[Diagram]) -> Blamed {
    let alone: Vec<Blamed> = bads.iter().map(|&bad| blame(space, liveness, bad)).collect();
    let is_hopeless = |id: DecisionId, width: usize| {
        let gone: BTreeSet<usize> = alone
            .iter()
            .flat_map(|blamed| &blamed.gone)
            .filter(|(other, _)| *other == id)
            .map(|(_, candidate)| *candidate)
            .collect();
        gone.len() == width || alone.iter().any(|blamed| blamed.hopeless.contains(&id))
    };
    let decisions = space.decision_ids();
    let hopeless: Vec<DecisionId> = decisions
        .filter(|(id, decision)| is_hopeless(*id, decision.candidates.len()))
        .map(|(id, _)| id)
        .collect();
    let is_aside = |blamed: &Blamed| {
        let gone = blamed.gone.iter().map(|(id, _)| id);
        gone.chain(&blamed.hopeless).any(|id| hopeless.contains(id))
    };
    let hopeful = bads.iter().zip(&alone).filter(|(_, blamed)| !is_aside(blamed));
    let never = liveness.conditions.constant(0);
    let bad = hopeful.fold(never, |all, (&bad, _)| liveness.conditions.or(all, bad));
    let mut blamed = blame(space, liveness, bad);
    blamed.hopeless.splice(0..0, hopeless);
    blamed
}

struct Blame<'s, 'l> {
    space: &'s Space,
    liveness: &'l mut Liveness,
    bad: Diagram,
    /// Where no candidate is taken that is gone.
    left: Diagram,
    found: Blamed,
}

impl Blame<'_, '_> {
    fn width(&self, id: DecisionId) -> usize {
        self.space.decision(id).map_or(0, |decision| decision.candidates.len())
    }

    /// Where a decision matters and takes a candidate.
    fn takes(&mut self, id: DecisionId, candidate: usize) -> Diagram {
        let width = self.width(id);
        let never = self.liveness.conditions.constant(0);
        let matters = self.liveness.decision(id).unwrap_or(never);
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

    fn remove(&mut self, id: DecisionId, candidates: &[usize]) {
        let has_gone = |(other, _): &&(DecisionId, usize)| *other == id;
        let gone = self.found.gone.iter().filter(has_gone).count();
        if gone + candidates.len() >= self.width(id) {
            self.found.hopeless.push(id);
            return;
        }
        for &candidate in candidates {
            self.found.gone.push((id, candidate));
            let taken = self.takes(id, candidate);
            self.left = self.without(self.left, taken);
        }
    }

    /// Removes the candidates of a decision with which every network that is left is bad.
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
        if !candidates.is_empty() {
            self.remove(id, &candidates);
        }
    }

    /// Removes the last of some choices that are bad together; `false` if there are none.
    fn together(&mut self) -> bool {
        let (left, bad) = (self.left, self.bad);
        let choices = self.liveness.conditions.explain(left, bad);
        let last = choices.and_then(|choices| choices.into_iter().max());
        last.is_some_and(|(id, candidate)| {
            self.remove(id, &[candidate]);
            true
        })
    }
}
