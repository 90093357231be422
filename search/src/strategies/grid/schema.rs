//! The settings of `strategy grid`.

use nas_ir::recipe::common::{DATA, RETRAIN, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{Field, Kind, Kinds, Relation, Section, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::{DERIVE, FINAL_EPOCHS, FINALISTS};
use crate::strategies::{score, supernet};

/// The settings of `strategy grid`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "grid",
    doc: "tries every network that keeps the requirements, one after the other: for spaces so small that all \
          can be scored, and for tables of known scores",
    sections: &[
        Section {
            name: STRATEGY,
            kinds: Kinds::Strategy,
            doc: "the strategy; it has no settings of its own",
            fields: &[],
        },
        score::SECTION,
        DATA,
        WEIGHTS,
        supernet::SECTION,
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "what is kept",
            fields: &[KEEP, FINALISTS, FINAL_EPOCHS],
        },
        RETRAIN,
    ],
    relations: &[Relation::CommandGiven],
};

const KEEP: Field = Field {
    name: "keep",
    kind: Kind::count(1, 5),
    doc: "how many networks are reported, best first; the best is retrained",
};

/// How many networks are kept.
pub(super) fn keep(recipe: &Recipe) -> Result<u32, NoSetting> {
    recipe.settings.count(DERIVE, KEEP.name)
}
