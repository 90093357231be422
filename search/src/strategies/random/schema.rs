//! The settings of `strategy random`.

use nas_ir::recipe::common::{DATA, RETRAIN, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{Kinds, Relation, Section, StrategySchema};

use crate::strategies::score;
use crate::strategies::sections::{SUPERNET, TRIALS};

/// The settings of `strategy random`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "random",
    doc: "tries networks drawn uniformly from those that keep the requirements (Li and Talwalkar \
          2019): the baseline of all others",
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
        SUPERNET,
        TRIALS,
        RETRAIN,
    ],
    relations: &[Relation::KeepsOfSample],
};
