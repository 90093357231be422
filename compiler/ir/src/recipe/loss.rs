//! What training makes small.

use serde::{Serialize, Serializer};

use super::schema::{Bounds, Field, Kind};
use super::settings::{NoSetting, Settings, Value};

/// How much each class counts.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// All the same.
    Equal,
    /// As much as it is rare: of `n` labels the `n_c` of a class among `k` count `n / (k n_c)` times each.
    Balanced,
    /// These, one for each class.
    Given(Vec<f64>),
}

impl ClassWeights {
    const EQUAL: &'static str = "equal";
    const BALANCED: &'static str = "balanced";
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Equal => Self::EQUAL.serialize(serializer),
            Self::Balanced => Self::BALANCED.serialize(serializer),
            Self::Given(weights) => weights.serialize(serializer),
        }
    }
}

/// What training makes small.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loss {
    /// Of the values of a regression.
    #[serde(flatten)]
    pub values: ValueLoss,
    /// Of classes.
    #[serde(flatten)]
    pub classes: ClassLoss,
}

/// What training makes small, of the values of a regression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ValueLoss {
    /// Of an error.
    pub regression: RegressionLoss,
    /// From which error on [`RegressionLoss::Huber`] is linear.
    pub delta: f64,
}

impl Default for ValueLoss {
    /// What holds where a recipe says nothing.
    fn default() -> Self {
        Self { regression: RegressionLoss::L1, delta: HUBER_DELTA }
    }
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

/// What training makes small, of answers that are classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassLoss {
    /// Share of the target that all classes have in equal parts.
    pub smoothing: f64,
    /// How much each class counts.
    pub class_weights: ClassWeights,
    /// Exponent of the focal loss; 0 is cross-entropy.
    pub focal: f64,
    /// Share of the Dice loss.
    pub dice: f64,
}

impl ClassLoss {
    /// Whether it is cross-entropy and nothing else.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        [self.smoothing, self.focal, self.dice] == [0.0; 3]
            && self.class_weights == ClassWeights::Equal
    }
}

impl Loss {
    /// What the settings of a section say.
    ///
    /// # Errors
    /// It lacks one.
    pub(super) fn of(settings: &Settings, section: &'static str) -> Result<Self, NoSetting> {
        let real = |field: Field| settings.real(section, field.name);
        let class_weights = match settings.get(section, CLASS_WEIGHTS.name) {
            Some(Value::Word(ClassWeights::EQUAL)) => ClassWeights::Equal,
            Some(Value::Word(ClassWeights::BALANCED)) => ClassWeights::Balanced,
            Some(Value::Numbers(weights)) => ClassWeights::Given(weights.clone()),
            _ => return Err(NoSetting { section, field: CLASS_WEIGHTS.name }),
        };
        Ok(Self {
            values: ValueLoss {
                regression: settings.word(section, REGRESSION.name, &RegressionLoss::NAMED)?,
                delta: real(DELTA)?,
            },
            classes: ClassLoss {
                smoothing: real(LABEL_SMOOTHING)?,
                class_weights,
                focal: real(FOCAL)?,
                dice: real(DICE)?,
            },
        })
    }
}

/// What of an error.
pub const REGRESSION: Field = Field {
    name: "regression",
    kind: Kind::Word(&["l1", "l2", "huber"]),
    doc: "of a regression: `l1`, the error; `l2`, its square; `huber`, half the square of an error up to `delta`, and \
          beyond `delta * (error - delta / 2)` (Huber 1964)",
};

/// From which error on a Huber loss is linear, if nothing else is said.
const HUBER_DELTA: f64 = 1.0;

/// From which error on a loss is linear.
pub const DELTA: Field = Field {
    name: "delta",
    kind: Kind::Real { bounds: Bounds::above(0.0, 1e9), default: HUBER_DELTA },
    doc: "from which error on the loss `huber` is linear, in the unit of the targets",
};

/// Share of the target that all classes have.
pub const LABEL_SMOOTHING: Field = Field {
    name: "smoothing",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.0 },
    doc: "of classes: the share of a target that all classes have in equal parts (Szegedy et al. 2016)",
};

/// How much each class counts.
pub const CLASS_WEIGHTS: Field = Field {
    name: "class_weights",
    kind: Kind::Numbers {
        bounds: Bounds::closed(0.0, 1e6),
        words: &[ClassWeights::EQUAL, ClassWeights::BALANCED],
        example: "[1, 2, 0.5]",
    },
    doc: "of classes: how much each counts in the mean over the labels: a number for each class, in their order; or `balanced`, by \
          which a class counts as much as it is rare among the labels of `train`, `n / (k * n_c)` of `n` labels in `k` classes",
};

/// Exponent of the focal loss.
pub const FOCAL: Field = Field {
    name: "focal",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 10.0), default: 0.0 },
    doc: "of classes: the exponent of the focal loss (Lin et al. 2017, equation 5): a label that is predicted with the probability `p` \
          counts `(1 - p)^focal` times; with 0, as cross-entropy, all count",
};

/// Share of the Dice loss.
pub const DICE: Field = Field {
    name: "dice",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 1.0), default: 0.0 },
    doc: "of classes: the share of the Dice loss (Milletari et al. 2016), the mean over the classes of a batch, beside the loss of single \
          labels; meant for segmentation",
};
