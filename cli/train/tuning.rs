//! A network of integers that is trained on, with the steps of its grids: a run of its own.

use std::path::Path;

use nas_ir::recipe::{Anneal, Law, Optimizer, Patience, Recipe};
use nas_ir::{Model, Weights};
use nas_quantise::{Grids, Plan, Scheme};
use nas_search::record::Choices;
use nas_search::store::names;
use nas_search::{Start, Store};
use nasc::render::report::Failure;
use nasc::services::form::Form;
use nasc::services::rounding::TuneArgs;

use crate::file_images::of_training_images;
use crate::training::Training;
use crate::tuning_backend::Tuned;

/// How to go on after a stop.
const HINT: &str = "go on by the same command";

/// What learns, and how.
pub(crate) struct Tune<'t> {
    pub(crate) training: &'t Training,
    /// In what form the network is.
    pub(crate) form: &'t Form,
    pub(crate) scheme: Scheme,
    /// What is rounded.
    pub(crate) plan: &'t Plan,
    pub(crate) args: &'t TuneArgs,
    /// For so many epochs.
    pub(crate) epochs: u32,
    /// The folder of the run.
    pub(crate) run: &'t Path,
}

impl Tune<'_> {
    /// The network before it is rounded, and its grids, both as they were in the best epoch. A run that was stopped goes on.
    ///
    /// # Errors
    /// The folder holds another run, the data cannot be read, training fails, or the user stops it.
    pub(crate) fn run(&self, model: Model, grids: &Grids) -> Result<(Model, Grids), Failure> {
        let Model { network, weights } =
            of_training_images(grids.placed(model.clone(), self.plan), self.form);
        let choices: Choices = network.choices.iter().cloned().collect();
        let tuned = Tuned { network, powers_of_two: self.scheme.powers_of_two };
        let training = self.training.tuning(self.recipe(), tuned);
        let mut initial = weights;
        initial.extend(grids.steps(&model, self.plan));
        let start = Start { choices: &choices, weights: Some(&initial) };
        let mut store = training.store(Some(start), |inputs| Store::open(self.run, inputs))?;
        training.run(&mut store, HINT)?;
        let learned = learned(&store)?;
        let grids = grids.learned(&model, self.plan, self.scheme, &learned);
        let mut model = model;
        for (name, tensor) in &mut model.weights {
            if let Some(own) = learned.get(name) {
                *tensor = own.clone();
            }
        }
        Ok((model, grids))
    }

    /// That of the network, but for how its weights learn.
    fn recipe(&self) -> Recipe {
        let mut recipe = self.training.recipe.clone();
        let retrain = &mut recipe.retrain;
        retrain.epochs = self.epochs;
        retrain.patience = Patience { epochs: 0, ..retrain.patience };
        let training = &mut retrain.training;
        training.optimizer = Optimizer::Sgd;
        training.rate = Anneal { from: self.args.rate(), to: 0.0, law: Law::Cosine };
        training.warmup = 0;
        training.momentum = TuneArgs::MOMENTUM;
        training.decay = 0.0;
        training.ema = 0.0;
        training.weights_from = None;
        recipe
    }
}

/// The weights that a run has kept.
fn learned(store: &Store) -> Result<Weights, Failure> {
    let bytes = store.read(names::WEIGHTS).map_err(Failure::problem)?;
    let bytes = bytes.ok_or_else(|| Failure::input("the run has no weights"))?;
    nas_safetensors::floats_from_bytes(&bytes)
        .map_err(|error| Failure::input(format!("{}: {error}", names::WEIGHTS)))
}
