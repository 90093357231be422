//! The settings of `strategy random`.

use nas_ir::recipe::schema::{Relation, StrategySchema};

use crate::strategies::sections::black_box;

/// The settings of `strategy random`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "random",
    doc: "tries networks drawn uniformly from those that keep the requirements (Li and Talwalkar \
          2019): the baseline of all others",
    sections: &black_box("the strategy; it has no settings of its own", &[]),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};
