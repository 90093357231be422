//! The settings of `strategy nsga2`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy nsga2`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "nsga2",
    doc: "crosses and changes the networks of a population, of which those survive that no other dominates and, \
          of equal rank, those that stand alone: NSGA-II (Deb et al. 2002). It is made for several goals, `maximize accuracy, \
          minimize macs`, and ends with their front; of one goal it keeps the best. A network that was tried is not tried again",
    sections: &black_box(
        "the population (N of the paper), and the chance of a crossover",
        &[POPULATION, CROSSOVER],
    ),
    relations: &[Relation::KeepsOfSample],
};

const POPULATION: Field = Field {
    name: "population",
    kind: Kind::count(2, 20),
    doc: "networks that survive; so many are drawn at random to begin with, and as many are made of them in each \
          generation",
};

const CROSSOVER: Field = Field {
    name: "crossover",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 1.0), default: 0.9 },
    doc: "how probable it is that a network takes each choice from one of two parents; else it is one of them, and differs by \
          mutation alone, which makes one choice of its decisions anew on average",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    pub(super) population: usize,
    pub(super) crossover: f64,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let settings = &recipe.settings;
        Ok(Self {
            population: settings.count(STRATEGY, POPULATION.name)? as usize,
            crossover: settings.real(STRATEGY, CROSSOVER.name)?,
        })
    }
}
