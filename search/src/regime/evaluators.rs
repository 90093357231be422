//! What evaluates trials: the weights of a supernet, or training of their own.

use std::time::Instant;

use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};
use nas_passes::specialise;

use crate::backend::Backend;
use crate::error::RunError;
use crate::evaluator::{Evaluation, Evaluator, Halt, OnBeat, Part, Pass, Split, Step};
use crate::finite::Figure;
use crate::record::Choices;
use crate::shared::SharedWeights;
use crate::table::ScoreTable;
use crate::trial::Trial;

/// Scores networks with the weights of a supernet; those that have a budget of their own, after training by that.
pub(super) struct Inherited<'s, 'j, S: ?Sized> {
    supernet: &'s mut S,
    /// The epochs that it was trained for.
    epochs: u32,
    from_scratch: FromScratch<'j>,
}

impl<'s, 'j, S: SharedWeights + ?Sized> Inherited<'s, 'j, S> {
    pub(super) fn new(supernet: &'s mut S, epochs: u32, from_scratch: FromScratch<'j>) -> Self {
        Self { supernet, epochs, from_scratch }
    }
}

impl<S: SharedWeights + ?Sized> Evaluator for Inherited<'_, '_, S> {
    fn evaluate(
        &mut self,
        number: u32,
        trial: &Trial,
        on_beat: OnBeat<'_>,
    ) -> Result<Evaluation, Halt> {
        if !trial.budget.is_none() {
            return self.from_scratch.evaluate(number, trial, on_beat);
        }
        let began = Instant::now();
        let mut on_step = |step| on_beat(Some((number, step)));
        let score = self.supernet.score(&trial.assignment, &mut on_step)?;
        let epoch = self.epochs.saturating_sub(1);
        let what = "the score with inherited weights";
        let figure = Figure { what, epoch, setting: "weights.rate" };
        Ok(Evaluation::since(began, figure.check_score(score)?))
    }
}

/// Trains each network from fresh weights for the epochs of its budget, as the recipe's `retrain`
/// says.
pub(super) struct FromScratch<'j> {
    pub(super) space: &'j Checked<Space>,
    pub(super) recipe: &'j Recipe,
    pub(super) backend: &'j dyn Backend,
}

/// Looks scores up.
pub(super) struct FromTable<'j> {
    pub(super) space: &'j Checked<Space>,
    pub(super) table: &'j ScoreTable,
}

impl Evaluator for FromTable<'_> {
    fn evaluate(&mut self, _: u32, trial: &Trial, _: OnBeat<'_>) -> Result<Evaluation, Halt> {
        let began = Instant::now();
        let choices: Choices =
            specialise(self.space, &trial.assignment).choices.into_iter().collect();
        let score = self.table.score(&choices).cloned();
        let shown = || choices.iter().map(|(path, name)| format!("`{path}` = {name}"));
        let unscored = || RunError::Unscored { choices: shown().collect::<Vec<_>>().join(", ") };
        Ok(Evaluation::since(began, score.ok_or_else(unscored)?))
    }
}

impl Evaluator for FromScratch<'_> {
    fn evaluate(
        &mut self,
        number: u32,
        trial: &Trial,
        on_beat: OnBeat<'_>,
    ) -> Result<Evaluation, Halt> {
        let began = Instant::now();
        let mut on_step = |step: Step| on_beat(Some((number, step)));
        let network = specialise(self.space, &trial.assignment);
        let mut network = self.backend.network(network).map_err(Halt::backend)?;
        let (retrain, epochs) = (&self.recipe.retrain, trial.budget.epochs);
        for epoch in 0..epochs {
            let learning_rate = retrain.learning_rate.over(epoch, epochs);
            let [drop_path, _] = retrain.drop_path.over(epoch, epochs);
            let pass = Pass { part: Part::All, epoch, learning_rate, drop_path };
            let loss = network.train(&pass, &mut on_step)?;
            Figure { what: "the loss of a trial", epoch, setting: "retrain.rate" }
                .check(&[loss])?;
        }
        let score = network.score(Split::Val, &mut on_step)?;
        let epoch = epochs.saturating_sub(1);
        let figure = Figure { what: "the score of a trial", epoch, setting: "retrain.rate" };
        Ok(Evaluation::since(began, figure.check_score(score)?))
    }
}
