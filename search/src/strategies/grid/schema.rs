//! The settings of `strategy grid`.

use nas_ir::recipe::common::{DATA, LOSS, METRICS, RETRAIN, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{Kinds, Relation, Section, StrategySchema};

use crate::strategies::sections::{BUDGET, DERIVE, FINAL_EPOCHS, FINALISTS, KEEP_OF_ALL};
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
        METRICS,
        DATA,
        LOSS,
        WEIGHTS,
        supernet::SECTION,
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "what is kept",
            fields: &[KEEP_OF_ALL, FINALISTS, FINAL_EPOCHS, BUDGET],
        },
        RETRAIN,
    ],
    relations: &[Relation::CommandGiven],
};
