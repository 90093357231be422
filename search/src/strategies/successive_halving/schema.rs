//! The settings of `strategy successive_halving`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, Kinds, Relation, Section, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::halving::{ETA, LEAST, sections};
use crate::strategies::sections::{BUDGET, DERIVE, KEEP, SAMPLE};

/// The settings of `strategy successive_halving`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "successive_halving",
    doc: "trains networks drawn uniformly for few epochs each, and of them one in `eta` again for `eta` times the epochs, until \
          `score.epochs` are reached (Jamieson and Talwalkar 2016). Each training begins with fresh weights: with 81 networks, \
          `eta = 3` and 1 to 27 epochs, each of the four budgets takes 81 epochs. The result is the best after the most epochs",
    sections: &sections(
        "how budgets grow",
        &[LEAST, ETA, PROMOTE],
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "how many networks are drawn, and how many kept",
            fields: &[SAMPLE, KEEP, BUDGET],
        },
    ),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const PROMOTE: Field = Field {
    name: "promote",
    kind: Kind::Word(&["together", "at_once"]),
    doc: "when a network is trained for longer. `together`: once all networks of its budget were tried, if it is one of the best; \
          `at_once`: once it is among the best of those that were tried so far, so that none of several `score.jobs` waits \
          for the last of a budget (ASHA, Li et al. 2020)",
};

/// Whether networks are promoted at once.
pub(super) fn promotes_at_once(recipe: &Recipe) -> Result<bool, NoSetting> {
    let ways = [("together", false), ("at_once", true)];
    recipe.settings.word(STRATEGY, PROMOTE.name, &ways)
}
