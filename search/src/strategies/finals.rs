//! The finals of a search: of the networks that were tried, the best are tried once more with a greater budget, and
//! it is that which ranks them. Cheap scores find good networks and do not tell the best of these apart.

use nas_ir::recipe::schema::Field;
use nas_ir::recipe::{NoSetting, Recipe};
use rand::RngCore;

use super::sections::{DERIVE, FINAL_EPOCHS, FINALISTS};
use crate::error::RunError;
use crate::evaluator::Halt;
use crate::front;
use crate::record::SearchEpoch;
use crate::shared::SharedWeights;
use crate::strategy::{OneShot, Outcome, Strategy, Turn};
use crate::trial::{Budget, Trial};

/// How many come to the finals, and for how many epochs they are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    finalists: u32,
    epochs: u32,
}

impl Settings {
    /// No finals.
    pub(super) const NONE: Self = Self { finalists: 0, epochs: 0 };

    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let count = |field: Field| recipe.settings.count(DERIVE, field.name);
        Ok(Self { finalists: count(FINALISTS)?, epochs: count(FINAL_EPOCHS)? })
    }
}

/// A strategy with finals behind its trials.
pub(super) struct Finals<S> {
    strategy: S,
    settings: Settings,
    /// How many networks the strategy asked for and was not told of.
    open: usize,
    /// What the strategy was told of, in order.
    told: Vec<Outcome>,
    /// The finalists, best first, once the strategy asks for no more.
    finalists: Option<Vec<Trial>>,
    /// How many of them were asked for.
    asked: usize,
}

impl<S: Strategy> Finals<S> {
    pub(super) fn new(strategy: S, settings: Settings) -> Self {
        Self { strategy, settings, open: 0, told: Vec::new(), finalists: None, asked: 0 }
    }

    fn budget(&self) -> Budget {
        Budget { epochs: self.settings.epochs }
    }

    /// The best of what was told with the greatest budget, of equals the earlier; of several goals those of the front, the best by the first goal
    /// first, and then the others. Those that had the budget of the finals need none.
    fn drawn_up(&self) -> Vec<Trial> {
        let most = self.told.iter().map(|told| told.network.budget.epochs).max();
        let told = self.told.iter().filter(|told| Some(told.network.budget.epochs) == most);
        let scored = told.filter_map(|told| Some((told, told.values.clone()?)));
        let (scored, values): (Vec<&Outcome>, Vec<Vec<f64>>) = scored.unzip();
        let front = front::front(&values);
        let mut best: Vec<(bool, f64, &Outcome)> = Vec::new();
        for (place, (outcome, values)) in scored.into_iter().zip(values).enumerate() {
            let is_behind = values.len() > 1 && !front.contains(&place);
            best.extend(values.first().map(|&value| (is_behind, value, outcome)));
        }
        best.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let best = best.into_iter().map(|(_, _, outcome)| outcome);
        let best = best.filter(|outcome| outcome.network.budget != self.budget());
        let trial = |outcome: &Outcome| Trial {
            assignment: outcome.assignment.clone(),
            budget: self.budget(),
            drawn: outcome.network.drawn,
            uniform: false,
        };
        best.take(self.settings.finalists as usize).map(trial).collect()
    }
}

impl<S: Strategy> Strategy for Finals<S> {
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError> {
        if self.finalists.is_none() {
            if let Some(trial) = self.strategy.ask(rng)? {
                self.open += 1;
                return Ok(Some(trial));
            }
            // Who comes to the finals is known when all are told.
            if self.open > 0 {
                return Ok(None);
            }
            self.finalists = Some(self.drawn_up());
        }
        let next = self.finalists.iter().flatten().nth(self.asked).cloned();
        self.asked += usize::from(next.is_some());
        Ok(next)
    }

    fn tell(&mut self, outcome: &Outcome) {
        if self.finalists.is_none() {
            self.open = self.open.saturating_sub(1);
            self.strategy.tell(outcome);
            self.told.push(outcome.clone());
        }
    }

    fn trials(&self) -> u32 {
        let finalists = match &self.finalists {
            Some(finalists) => finalists.len() as u32,
            None => self.settings.finalists.min(self.strategy.trials()),
        };
        self.strategy.trials().saturating_add(finalists)
    }

    fn conclude(&mut self) -> bool {
        self.finalists.is_none() && self.strategy.conclude()
    }

    fn is_independent(&self) -> bool {
        self.strategy.is_independent()
    }

    fn reserved(&self) -> u64 {
        match &self.finalists {
            Some(_) => 0,
            None => u64::from(self.settings.finalists) * u64::from(self.settings.epochs),
        }
    }
}

impl<W: SharedWeights + ?Sized, S: OneShot<W>> OneShot<W> for Finals<S> {
    fn epoch(&mut self, supernet: &mut W, turn: Turn<'_, '_>) -> Result<SearchEpoch, Halt> {
        self.strategy.epoch(supernet, turn)
    }

    fn learned(&mut self, supernet: &W, rng: &mut dyn RngCore) -> Result<(), RunError> {
        self.strategy.learned(supernet, rng)
    }
}
