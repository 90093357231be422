//! Settings that several strategies have, declared once.

use nas_ir::recipe::common::{DATA, LOSS, METRICS, RETRAIN, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{CountDefault, Field, Kind, Kinds, Section};
use nas_ir::recipe::{NoSetting, Recipe};

use super::{score, supernet};

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

/// The same where the recipe does not say how many are tried.
pub(super) const KEEP_OF_ALL: Field = Field {
    name: KEEP.name,
    kind: Kind::count(1, 5),
    doc: "how many networks are reported, best first; the best is retrained",
};

/// How many are kept, as a recipe says.
pub(super) fn keep(recipe: &Recipe) -> Result<u32, NoSetting> {
    recipe.settings.count(DERIVE, KEEP.name)
}

/// How many come to the finals; beside [`FINAL_EPOCHS`] in the section [`DERIVE`].
pub(super) const FINALISTS: Field = Field {
    name: "finalists",
    kind: Kind::count(0, 0),
    doc: "of the networks that were tried, the best so many are then trained on their own, each for \
          `derive.epochs` and else as `retrain` says, and ranked by that before all others. Not where scores are \
          known or a command finds them",
};

/// How long they are trained.
pub(super) const FINAL_EPOCHS: Field = Field {
    name: "epochs",
    kind: Kind::count(1, 10),
    doc: "epochs of training of each of the `finalists`",
};

/// What the search may take in all; in the section [`DERIVE`].
pub(super) const BUDGET: Field = Field {
    name: "budget",
    kind: Kind::Count { least: 0, most: u32::MAX, default: CountDefault::Is(0) },
    doc: "training images, forward and backward, that the search may take in all: the epochs of a supernet, the trials and \
          the finals, but not `retrain`. One that only goes forward counts a third. Once so many are spent, and those \
          of training the finals set aside (their scores are not), no more networks are tried, though `derive.sample` asks for \
          more, and a supernet learns for no other epoch, though `schedule.epochs` has more; one network is tried in any case. 0 sets no limit. Not where scores are known or a command finds them",
};

/// The images that the search of a recipe may take; `None` where it sets no limit.
///
/// # Errors
/// A fault of the schema of its strategy.
pub(crate) fn budget(recipe: &Recipe) -> Result<Option<u64>, NoSetting> {
    let images = recipe.settings.count(DERIVE, BUDGET.name)?;
    Ok((images > 0).then_some(images.into()))
}

/// How many networks a strategy of a black box tries.
pub(super) const SAMPLE: Field = Field {
    name: "sample",
    kind: Kind::count(1, 20),
    doc: "networks tried, all of them different; fewer where the space has no more",
};

/// The sections of a strategy of a black box, with its own settings and what these are about.
pub(super) const fn black_box(doc: &'static str, fields: &'static [Field]) -> [Section; 9] {
    let own = Section { name: STRATEGY, kinds: Kinds::Strategy, doc, fields };
    [own, score::SECTION, METRICS, DATA, LOSS, WEIGHTS, supernet::SECTION, TRIALS, RETRAIN]
}

/// The section [`DERIVE`] of a strategy of a black box.
const TRIALS: Section = Section {
    name: DERIVE,
    kinds: Kinds::None,
    doc: "how many networks are tried",
    fields: &[SAMPLE, KEEP, FINALISTS, FINAL_EPOCHS, BUDGET],
};

/// How many networks are tried, and how many kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trials {
    /// The networks that are tried, at most.
    pub(super) sample: u32,
    /// Those that are kept.
    pub(super) keep: u32,
}

/// What a recipe says of them.
pub(super) fn trials(recipe: &Recipe) -> Result<Trials, NoSetting> {
    let count = |field: Field| recipe.settings.count(DERIVE, field.name);
    Ok(Trials { sample: count(SAMPLE)?, keep: keep(recipe)? })
}
