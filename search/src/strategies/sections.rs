//! Settings that several strategies have, declared once.

use nas_ir::recipe::common::{DATA, EPOCHS, RETRAIN, SCHEDULE, SEED, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{CountDefault, Field, Kind, Kinds, Section};
use nas_ir::recipe::{NoSetting, Recipe};

use super::score;

/// The name of the section that says which networks are tried.
pub(super) const DERIVE: &str = "derive";

/// How many networks are kept; beside `sample` in the section [`DERIVE`].
pub(super) const KEEP: Field = Field {
    name: "keep",
    kind: Kind::Count {
        least: 1,
        most: Kind::MOST,
        default: CountDefault::Of {
            words: "5, or `sample` if that is less",
            other: (DERIVE, "sample"),
            rule: |sample| if sample < 5 { sample } else { 5 },
        },
    },
    doc: "how many of them are reported, best first; the best is retrained",
};

/// How many networks a strategy of a black box tries.
const SAMPLE: Field = Field {
    name: "sample",
    kind: Kind::count(1, 20),
    doc: "networks tried, all of them different; fewer where the space has no more",
};

/// The sections of a strategy of a black box, with its own settings and what these are about.
pub(super) const fn black_box(doc: &'static str, fields: &'static [Field]) -> [Section; 7] {
    let own = Section { name: STRATEGY, kinds: Kinds::Strategy, doc, fields };
    [own, score::SECTION, DATA, WEIGHTS, SUPERNET, TRIALS, RETRAIN]
}

/// The section [`DERIVE`] of a strategy of a black box.
const TRIALS: Section = Section {
    name: DERIVE,
    kinds: Kinds::None,
    doc: "how many networks are tried",
    fields: &[SAMPLE, KEEP],
};

/// The section of the schedule of a strategy of a black box.
const SUPERNET: Section = Section {
    name: SCHEDULE,
    kinds: Kinds::None,
    doc: "how long the supernet is trained, where `score.by = inherited`",
    fields: &[EPOCHS, SEED],
};

/// How many networks are tried, and how many kept.
pub(super) fn trials(recipe: &Recipe) -> Result<(u32, u32), NoSetting> {
    let count = |field: Field| recipe.settings.count(DERIVE, field.name);
    Ok((count(SAMPLE)?, count(KEEP)?))
}
