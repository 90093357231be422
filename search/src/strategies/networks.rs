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
        let costs = nas_analysis::costs(network);
        requirements.iter().all(|requirement| requirement.is_kept(&costs) != Some(false))
    }
}
