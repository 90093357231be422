//! Choices by path, as result files hold them.

use std::fmt;

use indexmap::IndexMap;
use nas_diagnostics::{did_you_mean, nearest};
use nas_grammar::parse::MAX_PROBLEMS;
use nas_ir::{Assignment, Checked, DecisionId, Space};
use nas_passes::Choosing;

use super::drift::{self, Fate};
use super::report::instead_of_dropped;
use crate::elaborate::Value;

/// One reason why choices by path do not make an assignment, with the edit that helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A path that another one stands for now.
    #[error("`{path}` is now `{now}`: rename it")]
    Moved {
        /// The path that the space does not have.
        path: String,
        /// What it probably is.
        now: String,
    },
    /// A path that no decision has.
    #[error("the space has no decision `{path}`: {help}")]
    Gone {
        /// The path.
        path: String,
        /// What to do.
        help: String,
    },
    /// A candidate that the decision does not have.
    #[error("`{path}` has no candidate `{name}`: {help}")]
    Candidate {
        /// The path of the decision.
        path: String,
        /// The candidate.
        name: String,
        /// Which there are.
        help: String,
    },
    /// A decision that the others leave reachable, and that is not made.
    #[error("`{path}` is not made: add `\"{path}\": \"{candidate}\"`, or another candidate")]
    Undecided {
        /// The path of the decision.
        path: String,
        /// One of its candidates.
        candidate: String,
    },
}

/// All reasons why choices by path do not make an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfits(pub Vec<Misfit>);

impl fmt::Display for Misfits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the choices do not fit the space")?;
        self.0.iter().try_for_each(|misfit| write!(f, "\n  {misfit}"))
    }
}

impl std::error::Error for Misfits {}

/// The assignment that choices by path make, as result files hold them.
///
/// # Errors
/// Everything that does not fit the space; where candidates are unknown, not what they leave open.
pub fn from_choices(
    space: &Checked<Space>,
    choices: &IndexMap<String, String>,
) -> Result<Assignment, Misfits> {
    let mut taken =
        Taken { space, choosing: Choosing::new(space), misfits: Vec::new(), is_unclear: false };
    let lost = taken.take_known(choices);
    taken.take_lost(&lost);
    taken.require_the_others();
    let Taken { choosing, misfits, .. } = taken;
    if misfits.is_empty() { Ok(choosing.assignment()) } else { Err(Misfits(misfits)) }
}

struct Taken<'s> {
    space: &'s Checked<Space>,
    choosing: Choosing<'s>,
    misfits: Vec<Misfit>,
    /// Whether it is not known what some choice was to decide.
    is_unclear: bool,
}

impl Taken<'_> {
    /// Takes the choices of decisions that there are; returns the others.
    fn take_known<'c>(&mut self, choices: &'c IndexMap<String, String>) -> Vec<(&'c str, Value)> {
        let mut lost = Vec::new();
        for (path, name) in choices {
            match self.choosing.decision(path) {
                Some(id) => self.take(id, name),
                None => lost.push((path.as_str(), Value::Text(name.as_str().into()))),
            }
        }
        lost
    }

    fn take(&mut self, id: DecisionId, name: &str) {
        if self.choosing.take(id, name) {
            return;
        }
        let Some(decision) = self.space.decision(id) else { return };
        self.is_unclear = true;
        let is_gone = self.space.origins.gone(&decision.path).iter().any(|gone| gone == name);
        let help = if is_gone {
            instead_of_dropped(&decision.candidates)
        } else {
            did_you_mean(name, &decision.candidates, "the candidates are")
        };
        let (path, name) = (decision.path.clone(), name.to_owned());
        self.misfits.push(Misfit::Candidate { path, name, help });
    }

    /// What is lost is taken as what it became.
    fn take_lost(&mut self, lost: &[(&str, Value)]) {
        let given: Vec<(&str, &Value)> = lost.iter().map(|(path, value)| (*path, value)).collect();
        let fates = drift::fates(self.space, &given, |id| self.choosing.is_open(id));
        let open = self.space.decision_ids().filter(|(id, _)| self.choosing.is_open(*id));
        let open: Vec<&str> = open.map(|(_, decision)| decision.path.as_str()).collect();
        for ((path, value), fate) in lost.iter().zip(fates) {
            match fate {
                Fate::Became(id) => {
                    let now = self.space.decision(id).map_or("", |decision| &decision.path);
                    let (path, now) = ((*path).to_owned(), now.to_owned());
                    self.misfits.push(Misfit::Moved { path, now });
                    self.take(id, &value.to_string());
                }
                Fate::Gone => {
                    // Comparing with all of them takes long.
                    let is_one_of_few = self.misfits.len() < MAX_PROBLEMS;
                    let near = is_one_of_few.then(|| nearest(path, open.iter().copied())).flatten();
                    self.is_unclear |= near.is_some();
                    let help = near.map(|near| format!("did you mean `{near}`?"));
                    let help = help.unwrap_or_else(|| "remove it".to_owned());
                    self.misfits.push(Misfit::Gone { path: (*path).to_owned(), help });
                }
                Fate::Within => {}
            }
        }
    }

    fn require_the_others(&mut self) {
        if self.is_unclear {
            return;
        }
        for (path, candidate) in self.choosing.undecided() {
            self.misfits.push(Misfit::Undecided { path, candidate });
        }
    }
}
