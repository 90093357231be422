//! The networks that strategies of a black box try: drawn from a space, and changed in one choice.

use indexmap::IndexMap;
use nas_ir::{Assignment, Checked, DecisionId, Network, Space};
use nas_passes::specialise;
use rand::seq::SliceRandom;
use rand::{Rng, RngCore};

use super::sampling::Sampling;
use crate::error::RunError;
use crate::record::Choices;

/// How often a network is drawn in search of one that was not tried.
const DRAWS: usize = 1_000;

/// The networks of a space that keep its requirements and read their input.
pub(super) struct Networks<'s> {
    space: &'s Checked<Space>,
    sampling: Sampling<'s>,
    /// The decisions by their paths.
    decisions: IndexMap<&'s str, DecisionId>,
}

/// As many networks as the widest decision has candidates: each candidate of a decision is in as many of them as any
/// other, or in one more. They need not keep the requirements; those that do not read their input are left out.
pub(super) fn fair(space: &Checked<Space>, mut rng: &mut dyn RngCore) -> Vec<Assignment> {
    let widths = space.decisions.iter().map(|decision| decision.candidates.len());
    let widest = widths.max().unwrap_or(1);
    let mut fair = vec![space.first_assignment(); widest];
    for (id, decision) in space.decision_ids() {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < widest {
            let mut round: Vec<usize> = (0..decision.candidates.len()).collect();
            round.shuffle(&mut rng);
            order.extend(round);
        }
        for (network, candidate) in fair.iter_mut().zip(order) {
            network.set(id, candidate);
        }
    }
    fair.retain(|network| space.admits_constant || specialise(space, network).reads_input());
    fair
}

impl<'s> Networks<'s> {
    /// Those of a space.
    ///
    /// # Errors
    /// They cannot be counted, and so not drawn.
    pub(super) fn new(space: &'s Checked<Space>) -> Result<Self, RunError> {
        let decisions = space.decision_ids().map(|(id, decision)| (decision.path.as_str(), id));
        Ok(Self { space, sampling: Sampling::new(space)?, decisions: decisions.collect() })
    }

    /// One of them, uniformly.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn draw(&self, rng: &mut dyn RngCore) -> Result<Assignment, RunError> {
        self.sampling.draw(rng)
    }

    /// One that is new, uniformly; `None` where that many draws were none.
    ///
    /// # Errors
    /// There is none at all.
    pub(super) fn draw_new(
        &self,
        rng: &mut dyn RngCore,
        is_new: impl Fn(&Choices) -> bool,
    ) -> Result<Option<Assignment>, RunError> {
        for _ in 0..DRAWS {
            let drawn = self.draw(rng)?;
            if is_new(&self.choices(&drawn)) {
                return Ok(Some(drawn));
            }
        }
        Ok(None)
    }

    /// What a network chooses: the same for all assignments that make it.
    pub(super) fn choices(&self, assignment: &Assignment) -> Choices {
        specialise(self.space, assignment).choices.into_iter().collect()
    }

    /// The number of candidates of each decision.
    pub(super) fn widths(&self) -> Vec<usize> {
        self.space.decisions.iter().map(|decision| decision.candidates.len()).collect()
    }

    /// What a network chooses, decision by decision; `None` where a decision makes no difference.
    pub(super) fn places(&self, assignment: &Assignment) -> Vec<Option<usize>> {
        let choices = self.choices(assignment);
        let of = |(path, id): (&&str, &DecisionId)| {
            choices.contains_key(*path).then(|| assignment.get(*id))
        };
        self.decisions.iter().map(of).collect()
    }

    /// The assignment that takes these candidates, if its network is one of them.
    pub(super) fn assigned(&self, candidates: &[usize]) -> Option<Assignment> {
        let mut assignment = self.space.first_assignment();
        for (&id, &candidate) in self.decisions.values().zip(candidates) {
            assignment.set(id, candidate);
        }
        self.admits(&specialise(self.space, &assignment)).then_some(assignment)
    }

    /// The networks that differ from one in one of its choices, in random order, each made when it is asked
    /// for; decisions that matter only then are made at random.
    pub(super) fn neighbours(
        &self,
        assignment: &Assignment,
        mut rng: &mut dyn RngCore,
    ) -> impl Iterator<Item = Assignment> + use<'_, 's> {
        let mut changes: Vec<(DecisionId, usize)> = Vec::new();
        for (id, place) in self.decisions.values().zip(self.places(assignment)) {
            let Some(chosen) = place else { continue };
            let candidates = 0..self.space[*id].candidates.len();
            changes.extend(candidates.filter(|&other| other != chosen).map(|other| (*id, other)));
        }
        changes.shuffle(&mut rng);
        let filled = self.filled(assignment, rng);
        let changed = changes.into_iter().map(move |(id, candidate)| {
            let mut other = filled.clone();
            other.set(id, candidate);
            other
        });
        changed.filter(|other| self.admits(&specialise(self.space, other)))
    }

    /// The networks behind one of them, or all: in the order of their choices, the last decision that makes a
    /// difference counting fastest. One may come twice where a later decision makes an earlier one idle.
    pub(super) fn behind(
        &self,
        assignment: Option<&Assignment>,
    ) -> impl Iterator<Item = Assignment> + use<'_, 's> {
        let first = match assignment {
            None => Some(self.space.first_assignment()),
            Some(assignment) => self.next(assignment),
        };
        let all = std::iter::successors(first, |assignment| self.next(assignment));
        all.filter(|assignment| self.admits(&specialise(self.space, assignment)))
    }

    fn next(&self, assignment: &Assignment) -> Option<Assignment> {
        let mut next = assignment.clone();
        for (&id, place) in self.decisions.values().zip(self.places(assignment)).rev() {
            let counted = place.map(|chosen| chosen + 1);
            if let Some(higher) = counted.filter(|&c| c < self.space[id].candidates.len()) {
                next.set(id, higher);
                return Some(next);
            }
            next.set(id, 0);
        }
        None
    }

    /// An assignment whose idle decisions are made at random.
    fn filled(&self, assignment: &Assignment, rng: &mut dyn RngCore) -> Assignment {
        let mut filled = assignment.clone();
        for (&id, place) in self.decisions.values().zip(self.places(assignment)) {
            if place.is_none() {
                filled.set(id, rng.random_range(0..self.space[id].candidates.len()));
            }
        }
        filled
    }

    fn admits(&self, network: &Network) -> bool {
        if !(self.space.admits_constant || network.reads_input()) {
            return false;
        }
        let requirements = &self.space.requirements;
        if requirements.is_empty() {
            return true;
        }
        let figures = nas_analysis::figures(self.space, network);
        requirements.iter().all(|requirement| requirement.is_kept(&figures) != Some(false))
    }
}
