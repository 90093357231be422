//! The supernet whose weights networks inherit: in each step its weights learn on one network drawn uniformly
//! (single path one-shot, Guo et al. 2020), on several that hold every candidate equally often (FairNAS,
//! Chu et al. 2021, algorithm 1: strict fairness), or on the largest, the smallest and some others (the sandwich rule of
//! Yu and Huang 2019). Whichever it is, any strategy that sees scores alone searches among the networks afterwards.

mod refusal;
mod schema;

use nas_analysis::costs::costs_without_peak;
use nas_ir::recipe::common::{EPOCHS, SCHEDULE, SEED};
use nas_ir::recipe::schema::{Field, Kind, Kinds, Section};
use nas_ir::recipe::{LearningRate, Recipe};
use nas_ir::{Assignment, Checked, Measure, Space};
use nas_passes::specialise;

pub(super) use self::refusal::refused;
use self::schema::TRANSFORMS;
pub(super) use self::schema::sharing;
use super::networks::Networks;
use super::stages::{SHRINK, Stages, labels};
use crate::error::RunError;
use crate::evaluator::{Halt, Part, Pass, PassReport, Rate};
use crate::event::StepKind;
use crate::finite::Figure;
use crate::record::SearchEpoch;
use crate::shared::{Lesson, Paths, SharedWeights};
use crate::strategy::Turn;
use crate::work::Work;

/// The section of its schedule.
pub(super) const SECTION: Section = Section {
    name: SCHEDULE,
    kinds: Kinds::None,
    doc: "how the supernet is trained, where `score.by = inherited`",
    fields: &[EPOCHS, PATHS, RANDOM, DISTILL, SHRINK, TRANSFORMS, SEED],
};

const PATHS: Field = Field {
    name: "paths",
    kind: Kind::Word(&["fair", "uniform", "sandwich"]),
    doc: "the networks on which the weights learn in one step. `fair`: as many as the widest decision has \
          candidates, their gradients summed; every candidate is in one of them, or, of a decision with fewer, \
          in as many as any other, but for one (FairNAS, Chu et al. 2021, algorithm 1). They need not keep the requirements. \
          `uniform`: one, drawn uniformly (single path one-shot, Guo et al. 2020). `sandwich`: the one of most MACs, \
          the one of fewest, neither of which need keep the requirements, and some drawn uniformly (the sandwich rule of \
          Yu and Huang 2019, with which Yu et al. 2020 trained BigNAS)",
};

const RANDOM: Field = Field {
    name: "random",
    kind: Kind::count(0, 2),
    doc: "networks drawn uniformly for each step, where `paths = sandwich`",
};

const DISTILL: Field = Field {
    name: "distill",
    kind: Kind::Flag { default: true },
    doc: "whether, where `paths = sandwich`, all networks but the largest learn from what the largest answers, and not \
          from the labels (in-place distillation, Yu and Huang 2019, section 3.3)",
};

/// On which networks the weights learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ways {
    Fair,
    Uniform,
    Sandwich,
}

/// What trains it.
pub(super) struct Supernet<'s> {
    space: &'s Checked<Space>,
    ways: Ways,
    /// Networks drawn for each step of a sandwich.
    random: u32,
    lesson: Lesson,
    stages: Stages<'s>,
    epochs: u32,
    learning_rate: LearningRate,
    /// What the objective weighs.
    measure: Measure,
}

impl<'s> Supernet<'s> {
    /// That of a recipe.
    ///
    /// # Errors
    /// The space is too entangled to find its largest and its smallest network, where the recipe asks for them.
    pub(super) fn new(space: &'s Checked<Space>, recipe: &Recipe) -> Result<Self, RunError> {
        let settings = &recipe.settings;
        let ways = [("fair", Ways::Fair), ("uniform", Ways::Uniform), ("sandwich", Ways::Sandwich)];
        let ways = settings.word(SCHEDULE, PATHS.name, &ways)?;
        let distills = ways == Ways::Sandwich && settings.flag(SCHEDULE, DISTILL.name)?;
        let (epochs, measure) = (recipe.schedule.epochs, recipe.objective.measure());
        Ok(Self {
            space,
            ways,
            random: settings.count(SCHEDULE, RANDOM.name)?,
            lesson: if distills { Lesson::First } else { Lesson::Labels },
            stages: Stages::new(space, &labels(recipe)?, epochs, ways == Ways::Sandwich)?,
            epochs,
            learning_rate: recipe.weights.learning_rate(epochs),
            measure,
        })
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
        let stages = &self.stages;
        let steps = (0..steps).map(|_| match self.ways {
            Ways::Uniform => Ok(vec![stages.draw(epoch, networks, rng)?]),
            Ways::Fair => stages.draw_fair(epoch, networks, rng),
            Ways::Sandwich => stages.sandwich(epoch, self.random, networks, rng),
        });
        let steps = steps.collect::<Result<Vec<Vec<Assignment>>, RunError>>()?;
        let paths = Paths { steps, lesson: self.lesson };
        let loss = supernet.train(&pass, &paths, &mut progress.steps(StepKind::Weights, epoch))?;
        progress.check()?;
        let figure = Figure { what: "the loss of the weights", epoch, setting: "weights.rate" };
        figure.check(&[loss])?;
        Ok(SearchEpoch {
            epoch,
            temperature: None,
            learning_rate: learning_rate.ends(),
            weights: PassReport { loss, cost: self.mean_cost(&paths.steps) },
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
