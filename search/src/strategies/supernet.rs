//! The supernet whose weights networks inherit: in each step its weights learn on one network drawn uniformly
//! (single path one-shot, Guo et al. 2020), or on several that hold every candidate equally often (FairNAS,
//! Chu et al. 2021, algorithm 1: strict fairness).

use nas_analysis::costs::costs_without_peak;
use nas_ir::recipe::common::{EPOCHS, SCHEDULE, SEED};
use nas_ir::recipe::schema::{Field, Kind, Kinds, Section};
use nas_ir::recipe::{LearningRate, NoSetting, Recipe};
use nas_ir::{Assignment, Checked, Measure, Space};
use nas_passes::specialise;

use super::networks::Networks;
use crate::error::RunError;
use crate::evaluator::{Halt, Part, Pass, PassReport, Rate};
use crate::event::StepKind;
use crate::finite::Figure;
use crate::record::SearchEpoch;
use crate::shared::SharedWeights;
use crate::strategy::Turn;
use crate::work::Work;

/// The section of its schedule.
pub(super) const SECTION: Section = Section {
    name: SCHEDULE,
    kinds: Kinds::None,
    doc: "how the supernet is trained, where `score.by = inherited`",
    fields: &[EPOCHS, PATHS, SEED],
};

const PATHS: Field = Field {
    name: "paths",
    kind: Kind::Word(&["fair", "uniform"]),
    doc: "the networks on which the weights learn in one step. `fair`: as many as the widest decision has \
          candidates, their gradients summed; every candidate is in one of them, or, of a decision with fewer, \
          in as many as any other, but for one (FairNAS, Chu et al. 2021, algorithm 1). They need not keep the requirements. \
          `uniform`: one, drawn uniformly (single path one-shot, Guo et al. 2020)",
};

/// On which networks the weights learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paths {
    Fair,
    Uniform,
}

/// What trains it.
pub(super) struct Supernet<'s> {
    space: &'s Checked<Space>,
    paths: Paths,
    epochs: u32,
    learning_rate: LearningRate,
    /// What the objective weighs.
    measure: Measure,
}

impl<'s> Supernet<'s> {
    /// That of a recipe.
    pub(super) fn new(space: &'s Checked<Space>, recipe: &Recipe) -> Result<Self, NoSetting> {
        let ways = [("fair", Paths::Fair), ("uniform", Paths::Uniform)];
        let paths = recipe.settings.word(SCHEDULE, PATHS.name, &ways)?;
        let learning_rate = recipe.weights.learning_rate(recipe.schedule.epochs);
        let (epochs, measure) = (recipe.schedule.epochs, recipe.objective.measure());
        Ok(Self { space, paths, epochs, learning_rate, measure })
    }

    /// One epoch: a step for each batch of all training images.
    ///
    /// # Errors
    /// Interrupted, the backend failed, or training left the numbers.
    pub(super) fn epoch(
        &self,
        networks: &Networks<'_>,
        supernet: &mut dyn SharedWeights,
        turn: Turn<'_, '_>,
    ) -> Result<SearchEpoch, Halt> {
        let Turn { epoch, rng, progress } = turn;
        let learning_rate = Rate::over(self.learning_rate, epoch, self.epochs);
        let pass = Pass { part: Part::All, epoch, learning_rate, drop_path: 1.0 };
        let steps = supernet.steps(pass.part).map_err(Halt::backend)?;
        let paths = (0..steps).map(|_| match self.paths {
            Paths::Uniform => Ok(vec![networks.draw(rng)?]),
            Paths::Fair => networks.draw_fair(rng),
        });
        let paths = paths.collect::<Result<Vec<Vec<Assignment>>, RunError>>()?;
        let loss = supernet.train(&pass, &paths, &mut progress.steps(StepKind::Weights, epoch))?;
        progress.check()?;
        let figure = Figure { what: "the loss of the weights", epoch, setting: "weights.rate" };
        figure.check(&[loss])?;
        Ok(SearchEpoch {
            epoch,
            temperature: None,
            learning_rate: learning_rate.ends(),
            weights: PassReport { loss, cost: self.mean_cost(&paths) },
            choices: None,
            entropy: None,
            probabilities: None,
            pruned: None,
            work: Work::default(),
        })
    }

    /// The mean cost of the networks of a pass, in units of the measure; 0 where nothing tells it.
    fn mean_cost(&self, paths: &[Vec<Assignment>]) -> f64 {
        let cost = |assignment: &Assignment| {
            costs_without_peak(&specialise(self.space, assignment)).of(self.measure)
        };
        let costs: Vec<u64> = paths.iter().flatten().filter_map(cost).collect();
        costs.iter().map(|&cost| cost as f64).sum::<f64>() / costs.len().max(1) as f64
    }
}
