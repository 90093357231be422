//! Search recipes: the checked content of a `search` item, and how its settings are declared.
//!
//! What every recipe has is declared in [`common`] and typed here. Each strategy declares the rest
//! beside its own code, as a [`StrategySchema`]; a recipe holds these values by name, and the
//! strategy makes its own type of them.

pub mod anneal;
pub mod common;
pub mod formula;
pub mod objective;
pub mod patience;
pub mod schema;
pub mod settings;
pub mod template;

use serde::{Deserialize, Serialize, Serializer};

use crate::metric::Metric;

pub use anneal::{Anneal, Law};
pub use formula::{Formula, Variable};
pub use objective::{Goal, MINIMIZE, Objective, Weighed};
pub use patience::Patience;
pub use schema::StrategySchema;
pub use settings::{NoSetting, Settings, Value};
pub use template::Template;

/// Where images come from and what is done to them in training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Data {
    /// The folder with `train`, `val` and `test`; relative to the file of the recipe.
    pub path: String,
    /// Share of the images of `train` that are validated on; 0 where there is a split `val`.
    pub val: f64,
    /// How many of the others are trained on; 0 takes all.
    pub take: u32,
    /// On how many validation images networks are scored with inherited weights; 0 takes all.
    pub rank_on: u32,
    /// Height and width to which images are brought; `None` takes the space's input size.
    pub resize: Option<[u32; 2]>,
    /// What becomes of an image of another shape.
    pub fit: Fit,
    /// Pixels around an image before the random crop.
    pub pad: u32,
    /// Height and width of the random crop in training; `None` takes the space's input size.
    pub crop: Option<[u32; 2]>,
    /// Whether images are mirrored at random.
    pub flip: bool,
    /// Range of the random resize factor; `None` leaves the size.
    pub scale: Option<[f64; 2]>,
    /// By how much brightness, contrast and saturation change at random, as a share.
    pub jitter: f64,
    /// The largest standard deviation of the random blur, in pixels.
    pub blur: f64,
    /// Side of the square that is covered at random, in pixels.
    pub cutout: u32,
    /// Images in a training batch.
    pub batch: u32,
    /// Threads that decode ahead of the training step.
    pub workers: u32,
}

/// What becomes of an image whose shape is not that to which it is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Its shape changes.
    Stretch,
    /// Its shape stays, and what reaches over the edges is cut off.
    Cover,
    /// Its shape stays, and what it leaves free is padded.
    Letterbox,
}

impl Fit {
    /// Each by its name.
    const NAMED: [(&str, Self); 3] =
        [("stretch", Self::Stretch), ("cover", Self::Cover), ("letterbox", Self::Letterbox)];
}

/// Stochastic gradient descent for the weights of a supernet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sgd {
    /// Learning rate.
    #[serde(rename = "rate")]
    pub learning_rate: Anneal,
    /// Momentum.
    pub momentum: f64,
    /// Weight decay.
    pub decay: f64,
}

/// What training makes small where the task leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Loss {
    /// That of a regression.
    pub regression: RegressionLoss,
    /// From which error on [`RegressionLoss::Huber`] is linear.
    pub delta: f64,
}

/// What of an error training makes small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegressionLoss {
    /// The error without its sign.
    L1,
    /// Its square.
    L2,
    /// Half its square, and linear for large errors (P. J. Huber, "Robust Estimation of a Location Parameter", 1964).
    Huber,
}

impl RegressionLoss {
    /// Each by its name.
    const NAMED: [(&str, Self); 3] = [("l1", Self::L1), ("l2", Self::L2), ("huber", Self::Huber)];
}

/// By what networks are judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Judged {
    /// What ranks them; where it is `None`, what the task says.
    #[serde(serialize_with = "metric_or_task")]
    pub primary: Option<Metric>,
}

/// The word for what the task says.
const OF_TASK: &str = "usual";

fn metric_or_task<S: Serializer>(metric: &Option<Metric>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(metric.map_or(OF_TASK, Metric::name))
}

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Schedule {
    /// Epochs in all.
    pub epochs: u32,
}

/// How the picked network is trained from scratch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Retrain {
    /// Epochs.
    pub epochs: u32,
    /// Learning rate of SGD.
    #[serde(rename = "rate")]
    pub learning_rate: Anneal,
    /// Momentum.
    pub momentum: f64,
    /// Weight decay.
    pub decay: f64,
    /// Images in a batch.
    pub batch: u32,
    /// By what the rates of drop paths are multiplied.
    pub drop_path: Anneal,
    /// When it stops early.
    #[serde(flatten)]
    pub patience: Patience,
}

/// A search recipe: the checked content of a `search` item.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// The strategy.
    pub strategy: &'static StrategySchema,
    /// What is made small or large.
    pub objective: Objective,
    /// The images.
    pub data: Data,
    /// The optimiser of a supernet's weights.
    pub weights: Sgd,
    /// What training makes small.
    pub loss: Loss,
    /// By what networks are judged.
    pub metrics: Judged,
    /// How long.
    pub schedule: Schedule,
    /// How the picked network is trained.
    pub retrain: Retrain,
    /// Where all randomness comes from.
    pub seed: u64,
    /// What the strategy declares beside all that.
    pub settings: Settings,
}

impl Recipe {
    /// The recipe that these settings make.
    ///
    /// # Errors
    /// One that all recipes have is missing: a fault of the strategy's schema.
    pub fn new(
        name: &str,
        strategy: &'static StrategySchema,
        objective: Objective,
        settings: Settings,
    ) -> Result<Self, NoSetting> {
        let (data, weights, retrain) =
            (common::DATA.name, common::WEIGHTS.name, common::RETRAIN.name);
        let (loss, metrics) = (common::LOSS.name, common::METRICS.name);
        let primary = Metric::ALL.map(|metric| (metric.name(), Some(metric)));
        let primary: Vec<_> = primary.into_iter().chain([(OF_TASK, None)]).collect();
        Ok(Self {
            name: name.to_owned(),
            strategy,
            objective,
            data: Data {
                path: settings.path(data, "path")?,
                val: settings.real(data, "val")?,
                take: settings.count(data, "take")?,
                rank_on: settings.count(data, "rank_on")?,
                resize: settings.size(data, "resize")?,
                fit: settings.word(data, "fit", &Fit::NAMED)?,
                pad: settings.count(data, "pad")?,
                crop: settings.size(data, "crop")?,
                flip: settings.flag(data, "flip")?,
                scale: settings.range(data, "scale")?,
                jitter: settings.real(data, "jitter")?,
                blur: settings.real(data, "blur")?,
                cutout: settings.count(data, "cutout")?,
                batch: settings.count(data, "batch")?,
                workers: settings.count(data, "workers")?,
            },
            weights: Sgd {
                learning_rate: settings.anneal(weights, "rate")?,
                momentum: settings.real(weights, "momentum")?,
                decay: settings.real(weights, "decay")?,
            },
            loss: Loss {
                regression: settings.word(loss, "regression", &RegressionLoss::NAMED)?,
                delta: settings.real(loss, "delta")?,
            },
            metrics: Judged { primary: settings.word(metrics, "primary", &primary)? },
            schedule: Schedule { epochs: settings.count(common::SCHEDULE, common::EPOCHS.name)? },
            retrain: Retrain {
                epochs: settings.count(retrain, "epochs")?,
                learning_rate: settings.anneal(retrain, "rate")?,
                momentum: settings.real(retrain, "momentum")?,
                decay: settings.real(retrain, "decay")?,
                batch: settings.count(retrain, "batch")?,
                drop_path: settings.anneal(retrain, "drop_path")?,
                patience: settings.patience(retrain)?,
            },
            seed: settings.seed(common::SCHEDULE, common::SEED.name)?,
            settings: settings.without(common::has),
        })
    }

    /// The recipe of a space whose file has no `search` item: every setting of a strategy at its
    /// default.
    ///
    /// # Errors
    /// As [`Recipe::new`].
    pub fn default_for(space: &str, strategy: &'static StrategySchema) -> Result<Self, NoSetting> {
        Self::new(space, strategy, Objective::default(), Settings::defaults(strategy)?)
    }
}
