//! What a network costs and what it chooses: all that limits ask of one.

use crate::costs::Costs;
use crate::decision::Decision;

/// What limits ask of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures<'s> {
    /// What it costs.
    pub costs: Costs,
    /// The decisions that make a difference in it and the candidate that each takes, in the order of the
    /// space.
    pub chosen: Vec<(&'s Decision, &'s str)>,
}

impl<'s> Figures<'s> {
    /// Those of a network of a space with these decisions. `choices` are the paths of decisions and their
    /// candidates, in the order of the space, as a [`crate::Network`] has them.
    #[must_use]
    pub fn new(costs: Costs, decisions: &'s [Decision], choices: &'s [(String, String)]) -> Self {
        let mut choices = choices.iter().peekable();
        let chosen = decisions.iter().filter_map(|decision| {
            let (_, candidate) = choices.next_if(|(path, _)| *path == decision.path)?;
            Some((decision, candidate.as_str()))
        });
        Self { costs, chosen: chosen.collect() }
    }
}
