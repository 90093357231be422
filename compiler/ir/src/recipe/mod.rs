//! Search recipes: the checked content of a `search` item, and how its settings are declared.
//!
//! What every recipe has is declared in [`common`] and typed here. Each strategy declares the rest
//! beside its own code, as a [`StrategySchema`]; a recipe holds these values by name, and the
//! strategy makes its own type of them.

pub mod anneal;
pub mod bounds;
pub mod common;
pub mod distillation;
pub mod formula;
pub mod loss;
pub mod objective;
pub mod optimizer;
pub mod patience;
pub mod schema;
pub mod settings;
pub mod template;
pub mod training;

use serde::{Deserialize, Serialize, Serializer};

use crate::metric::Metric;

pub use anneal::{Anneal, Law, LearningRate};
pub use distillation::Distillation;
pub use formula::{Formula, Variable};
pub use loss::{ClassLoss, ClassWeights, Loss, RegressionLoss, ValueLoss};
pub use objective::{Goal, MINIMIZE, Objective, Weighed};
pub use optimizer::Optimizer;
pub use patience::Patience;
pub use schema::StrategySchema;
pub use settings::{NoSetting, Settings, Value};
pub use template::Template;
pub use training::{Initialisation, Training, TrainingPrecision};

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
    /// How many operations of RandAugment are done to an image.
    pub randaugment: u32,
    /// Their magnitude, 0 to 30.
    pub magnitude: u32,
    /// Parameter of the beta distribution of mixup; 0 where images are not blended.
    pub mixup: f64,
    /// Parameter of the beta distribution of CutMix; 0 where images are not cut.
    pub cutmix: f64,
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Retrain {
    /// Epochs.
    pub epochs: u32,
    /// How its weights learn.
    #[serde(flatten)]
    pub training: Training,
    /// Images in a batch.
    pub batch: u32,
    /// By what the rates of drop paths are multiplied.
    pub drop_path: Anneal,
    /// When it stops early.
    #[serde(flatten)]
    pub patience: Patience,
    /// What it learns from a teacher.
    #[serde(flatten)]
    pub distillation: Distillation,
}

impl Retrain {
    /// Whether no epoch depends on how many there are, so that a training that is done may go on for more.
    #[must_use]
    pub fn is_open_ended(&self) -> bool {
        self.training.rate.stays() && self.drop_path.stays() && self.patience.is_never()
    }
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
    /// How a supernet's weights learn.
    pub weights: Training,
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
                randaugment: settings.count(data, "randaugment")?,
                magnitude: settings.count(data, "magnitude")?,
                mixup: settings.real(data, "mixup")?,
                cutmix: settings.real(data, "cutmix")?,
                batch: settings.count(data, "batch")?,
                workers: settings.count(data, "workers")?,
            },
            weights: Training::of(&settings, weights)?,
            loss: Loss::of(&settings, loss)?,
            metrics: Judged { primary: settings.word(metrics, "primary", &primary)? },
            schedule: Schedule { epochs: settings.count(common::SCHEDULE, common::EPOCHS.name)? },
            retrain: Retrain {
                epochs: settings.count(retrain, "epochs")?,
                training: Training::of(&settings, retrain)?,
                batch: settings.count(retrain, "batch")?,
                drop_path: settings.anneal(retrain, "drop_path")?,
                patience: settings.patience(retrain)?,
                distillation: Distillation::of(&settings, retrain)?,
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
