//! Choices by path, as result files hold them, and the assignment that they make.

use std::collections::{HashMap, HashSet};

use nas_ir::{Assignment, Checked, DecisionId, IdVec, Space};

use crate::space::specialise;

/// What keeps a choice from being made, or a network from being known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit<'c> {
    /// No decision has this path.
    Decision {
        /// The path.
        path: &'c str,
        /// The candidate that it was to take.
        candidate: &'c str,
    },
    /// The decision has no such candidate.
    Candidate {
        /// The decision.
        decision: DecisionId,
        /// The candidate that it was to take.
        candidate: &'c str,
    },
    /// The others leave this decision reachable, and nothing makes it.
    Undecided {
        /// Its path.
        path: String,
    },
}

/// The assignment that choices by path make: pairs of the path of a decision and the name of its
/// candidate. Those of decisions that the others leave unreachable change nothing.
///
/// # Errors
/// Everything that does not fit the space; decisions that are left open only where all else fits.
pub fn from_choices<'c>(
    space: &Checked<Space>,
    choices: impl IntoIterator<Item = (&'c str, &'c str)>,
) -> Result<Assignment, Vec<Unfit<'c>>> {
    let mut choosing = Choosing::new(space);
    let mut unfit: Vec<Unfit<'c>> = Vec::new();
    for (path, candidate) in choices {
        match choosing.decision(path) {
            None => unfit.push(Unfit::Decision { path, candidate }),
            Some(decision) if !choosing.take(decision, candidate) => {
                unfit.push(Unfit::Candidate { decision, candidate });
            }
            Some(_) => {}
        }
    }
    if unfit.is_empty() {
        unfit.extend(choosing.undecided().into_iter().map(|(path, _)| Unfit::Undecided { path }));
    }
    if unfit.is_empty() { Ok(choosing.assignment) } else { Err(unfit) }
}

/// An assignment in the making.
pub struct Choosing<'s> {
    space: &'s Checked<Space>,
    by_path: HashMap<&'s str, DecisionId>,
    assignment: Assignment,
    /// Whether some choice is about the decision.
    is_made: IdVec<DecisionId, bool>,
}

impl<'s> Choosing<'s> {
    /// One in which no choice is made: each decision takes its first candidate until one is.
    #[must_use]
    pub fn new(space: &'s Checked<Space>) -> Self {
        Self {
            space,
            by_path: space.decision_ids().map(|(id, d)| (d.path.as_str(), id)).collect(),
            assignment: space.first_assignment(),
            is_made: space.decision_table(false),
        }
    }

    /// The decision of a path.
    #[must_use]
    pub fn decision(&self, path: &str) -> Option<DecisionId> {
        self.by_path.get(path).copied()
    }

    /// Makes a decision; `false` where it has no such candidate. Made it is in either case.
    pub fn take(&mut self, decision: DecisionId, candidate: &str) -> bool {
        self.is_made[decision] = true;
        let candidates = &self.space[decision].candidates;
        let index = candidates.iter().position(|name| name == candidate);
        index.into_iter().for_each(|index| self.assignment.set(decision, index));
        index.is_some()
    }

    /// Whether no choice is about a decision yet.
    #[must_use]
    pub fn is_open(&self, decision: DecisionId) -> bool {
        !self.is_made[decision]
    }

    /// The decisions that matter to the network of the choices made so far and that none of them is
    /// about: the path of each, and the candidate that it takes.
    #[must_use]
    pub fn undecided(&self) -> Vec<(String, String)> {
        let made = self.space.decision_ids().filter(|(id, _)| !self.is_open(*id));
        let made: HashSet<&str> = made.map(|(_, decision)| decision.path.as_str()).collect();
        let mut choices = specialise(self.space, &self.assignment).choices;
        choices.retain(|(path, _)| !made.contains(path.as_str()));
        choices
    }

    /// The assignment that the choices make.
    #[must_use]
    pub fn assignment(self) -> Assignment {
        self.assignment
    }
}
