//! How a strategy of a black box has its networks scored: the section `score` of its recipes.

use std::time::Duration;

use nas_ir::Space;
use nas_ir::metric::Direction;
use nas_ir::recipe::common;
use nas_ir::recipe::schema::{CountDefault, Field, Kind, Kinds, Section};
use nas_ir::recipe::{NoSetting, Patience, Recipe};

use super::networks::Networks;
use crate::command::{CommandSettings, PLACEHOLDERS};
use crate::error::RunError;
use crate::metrics::{MetricName, Ranking, ranking};
use crate::proxy::Proxy;
use crate::random::{Purpose, generator};
use crate::strategy::ProxySettings;

/// The name of the section.
pub(super) const SCORE: &str = "score";

/// The section.
pub(super) const SECTION: Section = Section {
    name: SCORE,
    kinds: Kinds::None,
    doc: "how the networks that are tried are scored",
    fields: &[
        BY, EPOCHS, PATIENCE, MIN_DELTA, WARMUP, PROXIES, IMAGES, TABLE, COMMAND, METRIC,
        DIRECTION, TIMEOUT, RETRIES, JOBS,
    ],
};

pub(super) const BY: Field = Field {
    name: "by",
    kind: Kind::Word(&["inherited", "train", "proxy", "table", "command"]),
    doc: "`inherited`: by the weights of a supernet, which is trained for `schedule.epochs` on the \
          networks that `schedule.paths` says; `train`: each by training \
          of its own, as `retrain` says but for `score.epochs`; `proxy`: by `score.proxies`, without any training; \
          `table`: by known scores; `command`: by a \
          command of yours, which trains it as it likes and prints its metrics. With the last two nothing is \
          trained by nasc, and no data are read",
};

pub(super) const EPOCHS: Field = Field {
    name: "epochs",
    kind: Kind::count(1, 5),
    doc: "epochs of training of each network where `by = train`; where `by = command`, what `{epochs}` stands for",
};

const PATIENCE: Field = Field {
    name: common::PATIENCE.name,
    kind: common::PATIENCE.kind,
    doc: "a network that is trained to be scored, a finalist too, is scored after each epoch on the images of \
          `data.rank_on`, and its training stops once the primary metric was no better for so many epochs; its score is \
          that of the best epoch. 0: it is scored once, at the end, on all validation images",
};

const MIN_DELTA: Field = common::MIN_DELTA;

pub(super) const WARMUP: Field = Field {
    name: "warmup",
    kind: Kind::count(0, 0),
    doc: "networks that are drawn uniformly before the search and scored by `score.proxies`, where `by = train`. The best of \
          them, best first, are tried wherever the strategy would draw a network at random (Abdelfattah et al. 2021): all \
          that `random` tries, the first population of `aging_evolution`. They count beside `derive.sample`",
};

const PROXIES: Field = Field {
    name: "proxies",
    kind: Kind::Words(Proxy::NAMES),
    doc: "the zero-cost proxies where `by = proxy`, and of a warm-up, computed on the network with fresh weights, more being better. \
          `synflow`: the natural logarithm of the synaptic flow, of an image of ones through the absolute weights (Tanaka et al. 2020); \
          `naswot`: the log determinant of how many rectifiers any two images set alike (Mellor et al. 2021); \
          `jacob_cov`: how uncorrelated the gradients by the images are (its first version); `zen`: how far the features move \
          with Gaussian images (Zen-score, Lin et al. 2021); `grad_norm`, `snip`, `grasp`: of the gradients of the loss (Abdelfattah et \
          al. 2021). Of several, the score is the mean rank of the network among 30 others, drawn by the seed",
};

const IMAGES: Field = Field {
    name: "images",
    kind: Kind::Count { least: 2, most: 65_536, default: CountDefault::Is(64) },
    doc: "training images in the batch that proxies are computed on",
};

const TABLE: Field = Field {
    name: "table",
    kind: Kind::Path { default: "table.jsonl" },
    doc: "the known scores where `by = table`, relative to the file of the recipe: a file with a line for each \
          network, as `nasc runs export --format jsonl` writes it, or the folder of a run",
};

pub(super) const COMMAND: Field = Field {
    name: "command",
    kind: Kind::Template {
        placeholders: &PLACEHOLDERS,
        example: "python train.py --arch {json} --epochs {epochs} --seed {seed}",
    },
    doc: "the command where `by = command`: a line for `sh`, run in the folder of the file of the recipe. It \
          prints metrics as JSON objects, each on a line of its own, the last of which counts. What stands in \
          braces is filled in, in quotes where `sh` needs them: `{json}`, a file with the choices of the \
          network and its costs; `{onnx}` and `{weights}`, the network with fresh weights as ONNX, and these \
          as safetensors; `{dir}`, the folder of the trial; `{epochs}`, `{seed}` and `{trial}`, its number",
};

pub(super) const METRIC: Field = Field {
    name: "metric",
    kind: Kind::Text {
        otherwise: "the first that the objective reads, else the first of the task of the space",
        example: "accuracy",
    },
    doc: "which of the metrics that a command prints ranks the networks where there is no objective, and is shown first; an \
          object without it does not count",
};

pub(super) const DIRECTION: Field = Field {
    name: "direction",
    kind: Kind::Word(&["known", "higher", "lower"]),
    doc: "which values of `score.metric` are better; `known`: as nasc knows it of its own metrics, such as `accuracy`, `rmse` and `loss`",
};

pub(super) const TIMEOUT: Field = Field {
    name: "timeout",
    kind: Kind::count(1, 86_400),
    doc: "seconds after which a command is ended, with all that it started; its trial failed then",
};

pub(super) const RETRIES: Field = Field {
    name: "retries",
    kind: Kind::count(0, 0),
    doc: "how often a command that fails is run once more",
};

pub(super) const JOBS: Field = Field {
    name: "jobs",
    kind: Kind::Count { least: 1, most: 4096, default: CountDefault::Is(1) },
    doc: "commands that run side by side. With more of them a strategy knows less when it asks for a network, \
          so that it may try other ones",
};

/// What scores networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The weights of a supernet.
    Inherited,
    /// Training of their own.
    Train,
    /// Zero-cost proxies.
    Proxy,
    /// Known scores.
    Table,
    /// A command of the user's.
    Command,
}

/// The values of the settings that all of these have.
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
        let ways = [
            ("inherited", By::Inherited),
            ("train", By::Train),
            ("proxy", By::Proxy),
            ("table", By::Table),
            ("command", By::Command),
        ];
        Ok(Self {
            by: settings.word(SCORE, BY.name, &ways)?,
            epochs: settings.count(SCORE, EPOCHS.name)?,
        })
    }
}

/// What scores the networks of a recipe; `None` where its strategy leaves no choice.
fn by(recipe: &Recipe) -> Result<Option<By>, NoSetting> {
    let section = recipe.strategy.section(SCORE);
    let has_choice = section.is_some_and(|section| section.field(BY.name).is_some());
    has_choice.then(|| Score::of(recipe).map(|score| score.by)).transpose()
}

/// The table of known scores that a recipe names, from its file; `None` where it scores otherwise.
///
/// # Errors
/// A fault of the schema of its strategy.
pub fn table(recipe: &Recipe) -> Result<Option<String>, NoSetting> {
    if by(recipe)? != Some(By::Table) {
        return Ok(None);
    }
    recipe.settings.path(SCORE, TABLE.name).map(Some)
}

/// Whether a command scores the networks of a recipe.
///
/// # Errors
/// A fault of the schema of its strategy.
pub fn is_by_command(recipe: &Recipe) -> Result<bool, NoSetting> {
    Ok(by(recipe)? == Some(By::Command))
}

/// Whether proxies score the networks of a recipe.
///
/// # Errors
/// A fault of the schema of its strategy.
pub(super) fn is_by_proxies(recipe: &Recipe) -> Result<bool, NoSetting> {
    Ok(by(recipe)? == Some(By::Proxy))
}

/// Whether proxies score what has no training of its own: they score all networks, or those of a warm-up.
///
/// # Errors
/// A fault of the schema of its strategy.
pub fn are_proxies_cheap(recipe: &Recipe) -> Result<bool, NoSetting> {
    Ok(matches!(by(recipe)?, Some(By::Proxy | By::Train)))
}

/// When the training of a network that is trained to be scored stops early.
///
/// # Errors
/// A fault of the schema of its strategy.
pub(crate) fn patience(recipe: &Recipe) -> Result<Patience, NoSetting> {
    let section = recipe.strategy.section(SCORE);
    match section.and_then(|section| section.field(PATIENCE.name)) {
        Some(_) => recipe.settings.patience(SCORE),
        None => Ok(Patience::default()),
    }
}

/// How many networks those are among which others are ranked by each of several proxies.
const OTHERS: usize = 30;

/// The proxies of a recipe, and the networks of the space that they are compared on.
///
/// # Errors
/// No network keeps the requirements, or a fault of the schema of the strategy.
pub(super) fn proxies(networks: &Networks<'_>, recipe: &Recipe) -> Result<ProxySettings, RunError> {
    let proxies = recipe.settings.words(SCORE, PROXIES.name, Proxy::NAMED)?;
    let images = recipe.settings.count(SCORE, IMAGES.name)?;
    let mut random = generator(recipe.seed, Purpose::Electorate);
    let others = if proxies.len() > 1 { OTHERS } else { 0 };
    let others = (0..others).map(|_| networks.draw(&mut random)).collect::<Result<_, _>>()?;
    Ok(ProxySettings { proxies, images, others })
}

/// The command of a recipe whose networks one scores, and how it is run.
///
/// # Errors
/// Nothing says which metric ranks networks of the space, or a fault of the schema of the strategy.
pub(super) fn command(space: &Space, recipe: &Recipe) -> Result<CommandSettings, RunError> {
    let settings = &recipe.settings;
    let none = NoSetting { section: SCORE, field: COMMAND.name };
    let directions = [
        ("known", None),
        (Direction::Higher.name(), Some(Direction::Higher)),
        (Direction::Lower.name(), Some(Direction::Lower)),
    ];
    let ranking = ranked_by(
        space,
        recipe,
        settings.text(SCORE, METRIC.name)?,
        settings.word(SCORE, DIRECTION.name, &directions)?,
    )?;
    let read = recipe.objective.metrics();
    Ok(CommandSettings {
        command: settings.template(SCORE, COMMAND.name)?.ok_or(none)?,
        needed: read.into_iter().filter(|key| key != ranking.metric.key()).collect(),
        ranking,
        timeout: Duration::from_secs(settings.count(SCORE, TIMEOUT.name)?.into()),
        retries: settings.count(SCORE, RETRIES.name)?,
        jobs: settings.count(SCORE, JOBS.name)? as usize,
    })
}

/// The metric that ranks: the one that is named, else the first that the objective reads, else that of the task.
fn ranked_by(
    space: &Space,
    recipe: &Recipe,
    named: Option<String>,
    direction: Option<Direction>,
) -> Result<Ranking, RunError> {
    let fault = |why: String, help: String| RunError::Metric {
        space: space.name.clone(),
        why,
        help: help + " beside `score.command`",
    };
    let read = recipe.objective.metrics();
    let metric = match (named.as_ref().or(read.first()), space.task) {
        (Some(name), _) => MetricName::of(name),
        (None, Some(task)) => {
            MetricName::Known(task.metrics().ranked_by(recipe.metrics.primary).primary)
        }
        (None, None) => {
            let help = "name one that the command prints: `metric = \"accuracy\"`".to_owned();
            return Err(fault("it has no task, and the recipe names no metric".to_owned(), help));
        }
    };
    let keys = std::iter::once(metric.key()).chain(read.iter().map(String::as_str));
    if let Some(key) = keys.into_iter().find(|key| !CommandSettings::may_rank(key)) {
        let why = format!("`{key}` is no metric, but says something of the others");
        return Err(fault(why, "name another `metric`".to_owned()));
    }
    let help = match metric {
        MetricName::Known(_) => "leave `direction` out".to_owned(),
        MetricName::Named(_) => "write `direction = higher` or `direction = lower`".to_owned(),
    };
    let wanted = || recipe.objective.wanted(metric.key());
    let direction = direction.or_else(wanted);
    ranking(metric, direction).map_err(|why| fault(why, help))
}
