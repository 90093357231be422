//! The settings of `strategy random`.

use nas_ir::recipe::common::{DATA, EPOCHS, RETRAIN, SCHEDULE, SEED, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{Field, Kind, Kinds, Relation, Section, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::{DERIVE, KEEP};

/// The settings of `strategy random`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "random",
    doc: "tries networks drawn uniformly from those that keep the requirements (Li and Talwalkar \
          2019): scored with the weights of a supernet that is trained on one such network in each \
          step (single path one-shot, Guo et al. 2020), or each after some epochs of training of \
          its own",
    sections: &[
        Section {
            name: STRATEGY,
            kinds: Kinds::Strategy,
            doc: "how the networks that are drawn are scored",
            fields: &[EVALUATE, BUDGET],
        },
        DATA,
        WEIGHTS,
        Section {
            name: SCHEDULE,
            kinds: Kinds::None,
            doc: "how long the supernet is trained",
            fields: &[EPOCHS, SEED],
        },
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "how many networks are tried",
            fields: &[SAMPLE, KEEP],
        },
        RETRAIN,
    ],
    relations: &[Relation::KeepsOfSample],
};

const EVALUATE: Field = Field {
    name: "evaluate",
    kind: Kind::Word(&["shared", "alone"]),
    doc: "`shared`: networks are scored with the weights of a supernet, which is trained for \
          `schedule.epochs`; `alone`: each is trained from fresh weights, as `retrain` says but for \
          `budget` epochs",
};

const BUDGET: Field = Field {
    name: "budget",
    kind: Kind::count(1, 5),
    doc: "epochs of training of each network where `evaluate = alone`",
};

const SAMPLE: Field = Field {
    name: "sample",
    kind: Kind::count(1, 20),
    doc: "networks drawn; one that was drawn before is not tried again",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// Epochs of training of each network; `None` where they share weights.
    pub(super) budget: Option<u32>,
    /// Networks drawn.
    pub(super) sample: u32,
    /// How many of them are kept.
    pub(super) keep: u32,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let settings = &recipe.settings;
        let ways = [("shared", false), ("alone", true)];
        let is_alone = settings.word(STRATEGY, EVALUATE.name, &ways)?;
        let budget = settings.count(STRATEGY, BUDGET.name)?;
        Ok(Self {
            budget: is_alone.then_some(budget),
            sample: settings.count(DERIVE, SAMPLE.name)?,
            keep: settings.count(DERIVE, KEEP.name)?,
        })
    }
}
