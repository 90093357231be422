//! The settings of `strategy successive_halving`.

use nas_ir::recipe::schema::{Kinds, Relation, Section, StrategySchema};

use crate::strategies::halving::{ETA, LEAST, sections};
use crate::strategies::sections::{DERIVE, KEEP, SAMPLE};

/// The settings of `strategy successive_halving`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "successive_halving",
    doc: "trains networks drawn uniformly for few epochs each, and of them one in `eta` again for `eta` times the epochs, until \
          `score.epochs` are reached (Jamieson and Talwalkar 2016). Each training begins with fresh weights: with 81 networks, \
          `eta = 3` and 1 to 27 epochs, each of the four budgets takes 81 epochs. The result is the best after the most epochs",
    sections: &sections(
        "how budgets grow",
        &[LEAST, ETA],
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "how many networks are drawn, and how many kept",
            fields: &[SAMPLE, KEEP],
        },
    ),
    relations: &[Relation::KeepsOfSample],
};
