//! How a strategy of a black box has its networks scored: the section `score` of its recipes.

use nas_ir::recipe::schema::{Field, Kind, Kinds, Section};
use nas_ir::recipe::{NoSetting, Recipe};

/// The name of the section.
pub(super) const SCORE: &str = "score";

/// The section.
pub(super) const SECTION: Section = Section {
    name: SCORE,
    kinds: Kinds::None,
    doc: "how the networks that are tried are scored",
    fields: &[BY, EPOCHS, TABLE],
};

const BY: Field = Field {
    name: "by",
    kind: Kind::Word(&["inherited", "train", "table"]),
    doc: "`inherited`: by the weights of a supernet, which is trained for `schedule.epochs` on one network \
          in each step, drawn uniformly (single path one-shot, Guo et al. 2020); `train`: each by training \
          of its own, as `retrain` says but for `score.epochs`; `table`: by known scores. Then nothing is \
          trained, and no data are read",
};

const EPOCHS: Field = Field {
    name: "epochs",
    kind: Kind::count(1, 5),
    doc: "epochs of training of each network where `by = train`",
};

const TABLE: Field = Field {
    name: "table",
    kind: Kind::Path { default: "scores.jsonl" },
    doc: "the known scores where `by = table`, relative to the file of the recipe: a line for each network, \
          as `scores.jsonl` of a run has them",
};

/// What scores networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The weights of a supernet.
    Inherited,
    /// Training of their own.
    Train,
    /// Known scores.
    Table,
}

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) by: By,
    /// Epochs of training of each network.
    pub(super) epochs: u32,
}

impl Score {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let settings = &recipe.settings;
        let ways = [("inherited", By::Inherited), ("train", By::Train), ("table", By::Table)];
        Ok(Self {
            by: settings.word(SCORE, BY.name, &ways)?,
            epochs: settings.count(SCORE, EPOCHS.name)?,
        })
    }
}

/// The table of known scores that a recipe names, from its file; `None` where it scores otherwise.
///
/// # Errors
/// A fault of the schema of its strategy.
pub fn table(recipe: &Recipe) -> Result<Option<String>, NoSetting> {
    if recipe.strategy.section(SCORE).is_none() || Score::of(recipe)?.by != By::Table {
        return Ok(None);
    }
    recipe.settings.path(SCORE, TABLE.name).map(Some)
}
