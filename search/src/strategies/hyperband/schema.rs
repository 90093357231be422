//! The settings of `strategy hyperband`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, Kinds, Relation, Section, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::halving::{ETA, LEAST, sections};
use crate::strategies::sections::{BUDGET, DERIVE, KEEP_OF_ALL};

/// The settings of `strategy hyperband`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "hyperband",
    doc: "halves networks drawn uniformly in several brackets, from many that are trained for few epochs at first to a few that are \
          all trained for `score.epochs`, so that it does not matter much how far short trainings can be trusted (Li et al. \
          2018, algorithm 1). Each training begins with fresh weights. With `eta = 3` and 1 to 27 epochs a round tries 49 networks \
          in four brackets, each of about 108 epochs. The result is the best after the most epochs",
    sections: &sections(
        "how budgets grow, and how often all brackets are gone through",
        &[LEAST, ETA, ROUNDS],
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "what is kept",
            fields: &[KEEP_OF_ALL, BUDGET],
        },
    ),
    relations: &[Relation::CommandGiven],
};

const ROUNDS: Field = Field {
    name: "rounds",
    kind: Kind::count(1, 1),
    doc: "how often all brackets are gone through, with other networks",
};

/// How often.
pub(super) fn rounds(recipe: &Recipe) -> Result<u32, NoSetting> {
    recipe.settings.count(STRATEGY, ROUNDS.name)
}
