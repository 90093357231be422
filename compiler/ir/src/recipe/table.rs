//! The settings of a recipe: the one place that says what there is, in which range, and what a
//! setting is when it is not said. The defaults suit the shipped data set (64 x 64 tiles, 495 of
//! them for training) on a small machine.

use std::fmt;

use super::{Anneal, Law, Mixing, Objective, Recipe};
use crate::measure::Measure;

/// A section of a recipe.
#[derive(Debug)]
pub struct Section {
    /// Its name: `weights`.
    pub name: &'static str,
    /// What may stand after the name.
    pub kinds: Kinds,
    /// What it is about.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// What may stand between a section's name and its brace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Nothing.
    None,
    /// One of these words; left out, it is the first.
    OneOf(&'static [&'static str]),
    /// Any name; it is for people and changes nothing.
    AnyName,
}

/// One setting.
#[derive(Debug)]
pub struct Field {
    /// Its name: `epochs`.
    pub name: &'static str,
    /// What values it takes, its default and where it goes.
    pub kind: Kind,
    /// What it means, with its unit.
    pub doc: &'static str,
}

/// What values a setting takes. The last field of each says where a recipe keeps it.
#[derive(Debug)]
pub enum Kind {
    /// A whole number: least, most, default.
    Count(u32, u32, CountDefault, fn(&mut Recipe) -> &mut u32),
    /// A whole number of 64 bits: default.
    Seed(u64, fn(&mut Recipe) -> &mut u64),
    /// A number: range, default.
    Real(Bounds, f64, fn(&mut Recipe) -> &mut f64),
    /// A number that may move over the epochs: range of both ends, default.
    Anneal(Bounds, Anneal, fn(&mut Recipe) -> &mut Anneal),
    /// `true` or `false`: default.
    Flag(bool, fn(&mut Recipe) -> &mut bool),
    /// Height and width, at least 1: what it is when not given, in words.
    Size(&'static str, fn(&mut Recipe) -> &mut Option<[u32; 2]>),
    /// `low..high`: range of both ends, what it is when not given, in words.
    Range(Bounds, &'static str, fn(&mut Recipe) -> &mut Option<[f64; 2]>),
    /// A path in quotes: default.
    Path(&'static str, fn(&mut Recipe) -> &mut String),
    /// One of these words, the first being the default; the function takes the word's index.
    Word(&'static [&'static str], fn(&mut Recipe, usize)),
}

/// What a count is when it is not given.
#[derive(Debug, Clone, Copy)]
pub enum CountDefault {
    /// This number.
    Is(u32),
    /// What other settings make it: in words, and as a function of the rest of the recipe.
    From(&'static str, fn(&Recipe) -> u32),
}

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The low end.
    pub low: f64,
    /// Whether the low end itself is outside.
    pub above_low: bool,
    /// The high end.
    pub high: f64,
    /// Whether the high end itself is outside.
    pub below_high: bool,
}

impl Bounds {
    /// Whether a number lies in the range; what is not a number does not.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        let low = if self.above_low { value > self.low } else { value >= self.low };
        let high = if self.below_high { value < self.high } else { value <= self.high };
        low && high
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = if self.above_low { "above" } else { "at least" };
        let high = if self.below_high { "below" } else { "at most" };
        write!(f, "{low} {} and {high} {}", self.low, self.high)
    }
}

/// From `low` to `high`, both inside.
const fn closed(low: f64, high: f64) -> Bounds {
    Bounds { low, above_low: false, high, below_high: false }
}

/// From `low` to below `high`.
const fn below(low: f64, high: f64) -> Bounds {
    Bounds { low, above_low: false, high, below_high: true }
}

/// From above `low` to `high`.
const fn above(low: f64, high: f64) -> Bounds {
    Bounds { low, above_low: true, high, below_high: false }
}

/// No training takes longer; keeps products of counts far from overflow.
const MANY: u32 = 1_000_000;

/// The declaration of `minimize`.
#[derive(Debug)]
pub struct Minimize {
    /// The default.
    pub default: Objective,
    /// The default as it is written.
    pub written: &'static str,
    /// What it means.
    pub doc: &'static str,
}

impl Mixing {
    /// The words that name the ways of mixing; the first is the default.
    pub const WORDS: &'static [&'static str] = &["soft", "hard"];

    fn of(word: usize) -> Self {
        if word == 1 { Mixing::Hard } else { Mixing::Soft }
    }
}

/// `minimize`: what the search makes small.
pub static MINIMIZE: Minimize = Minimize {
    default: Objective { factor: 0.02 / 1e6, measure: Measure::Macs },
    written: "cross_entropy + 0.02 * macs / 1M",
    doc: "the loss of the choices: `cross_entropy`, and a measure (`macs`, `params`, \
          `weight_bytes` or `latency`, of the sampled network) times a factor. Any linear form of these will do; it is divided by \
          the factor of `cross_entropy`. Without a measure only the loss counts",
};

/// All sections, in the order in which the reference shows them.
pub static SECTIONS: &[Section] = &[STRATEGY, DATA, WEIGHTS, CHOICES, SCHEDULE, DERIVE, RETRAIN];

const STRATEGY: Section = Section {
    name: "strategy",
    kinds: Kinds::OneOf(&["gumbel"]),
    doc: "how candidates are mixed while searching; `gumbel` is the Gumbel-softmax of Jang et al. \
          2017, as FBNet and SqueezeNAS use it",
    fields: &[
        Field {
            name: "temperature",
            kind: Kind::Anneal(
                above(0.0, 1000.0),
                Anneal { from: 5.0, to: 1.0, law: Law::Exponential },
                |r| &mut r.strategy.temperature,
            ),
            doc: "temperature of the Gumbel-softmax: its first value during the warm-up and in \
                  the first epoch after it, its last value in the last epoch",
        },
        Field {
            name: "prune_below",
            kind: Kind::Real(below(0.0, 0.5), 0.005, |r| &mut r.strategy.prune_below),
            doc: "a candidate whose probability falls below this after an epoch is dropped for \
                  good, never the most probable one of a decision; 0 drops none",
        },
        Field {
            name: "mixing",
            kind: Kind::Word(Mixing::WORDS, |r, word| r.strategy.mixing = Mixing::of(word)),
            doc: "`soft`: all candidates run and their outputs are summed with sampled weights; \
                  `hard`: one sampled candidate runs, with a straight-through gradient",
        },
    ],
};

const DATA: Section = Section {
    name: "data",
    kinds: Kinds::AnyName,
    doc: "the images and what is done to them in training. The name after `data` is for people. \
          Which label is ignored, the space's `task` says",
    fields: &[
        Field {
            name: "path",
            kind: Kind::Path("data/landcover", |r| &mut r.data.path),
            doc: "the folder with `train`, `val` and `test`, relative to the file of the recipe",
        },
        Field {
            name: "crop",
            kind: Kind::Size("the input size of the space", |r| &mut r.data.crop),
            doc: "height and width in pixels of the random crop in training",
        },
        Field {
            name: "flip",
            kind: Kind::Flag(true, |r| &mut r.data.flip),
            doc: "whether images are mirrored left to right at random",
        },
        Field {
            name: "scale",
            kind: Kind::Range(above(0.0, 16.0), "no resizing", |r| &mut r.data.scale),
            doc: "range of the random factor by which images are resized before the crop",
        },
        Field {
            name: "batch",
            kind: Kind::Count(1, MANY, CountDefault::Is(16), |r| &mut r.data.batch),
            doc: "images in a batch of the search",
        },
        Field {
            name: "workers",
            kind: Kind::Count(1, 1024, CountDefault::Is(2), |r| &mut r.data.workers),
            doc: "threads that decode images ahead of training; changes no result",
        },
    ],
};

const WEIGHTS: Section = Section {
    name: "weights",
    kinds: Kinds::OneOf(&["sgd"]),
    doc: "the optimiser of the supernet's weights: stochastic gradient descent",
    fields: &[
        Field {
            name: "rate",
            kind: Kind::Anneal(
                closed(0.0, 100.0),
                Anneal { from: 0.05, to: 0.0, law: Law::Cosine },
                |r| &mut r.weights.rate,
            ),
            doc: "learning rate, from the start of the first epoch to the end of the last, warm-up \
                  included",
        },
        Field {
            name: "momentum",
            kind: Kind::Real(below(0.0, 1.0), 0.9, |r| &mut r.weights.momentum),
            doc: "momentum",
        },
        Field {
            name: "decay",
            kind: Kind::Real(closed(0.0, 1.0), 1e-4, |r| &mut r.weights.decay),
            doc: "weight decay",
        },
    ],
};

const CHOICES: Section = Section {
    name: "choices",
    kinds: Kinds::OneOf(&["adam"]),
    doc: "the optimiser of the candidates' logits: Adam (Kingma and Ba 2015)",
    fields: &[
        Field {
            name: "rate",
            kind: Kind::Real(above(0.0, 100.0), 0.05, |r| &mut r.choices.rate),
            doc: "learning rate. A logit moves by at most about this in one step, so few images \
                  (few steps) need a higher one",
        },
        Field {
            name: "beta1",
            kind: Kind::Real(below(0.0, 1.0), 0.9, |r| &mut r.choices.beta1),
            doc: "decay of the first moment",
        },
        Field {
            name: "beta2",
            kind: Kind::Real(below(0.0, 1.0), 0.999, |r| &mut r.choices.beta2),
            doc: "decay of the second moment",
        },
        Field {
            name: "decay",
            kind: Kind::Real(closed(0.0, 1.0), 5e-4, |r| &mut r.choices.decay),
            doc: "weight decay of the logits",
        },
    ],
};

const SCHEDULE: Section = Section {
    name: "schedule",
    kinds: Kinds::None,
    doc: "how long the search lasts, and on which training images",
    fields: &[
        Field {
            name: "epochs",
            kind: Kind::Count(1, MANY, CountDefault::Is(40), |r| &mut r.schedule.epochs),
            doc: "epochs in all, warm-up included",
        },
        Field {
            name: "warmup",
            kind: Kind::Count(
                0,
                MANY,
                CountDefault::From("a quarter of the epochs", |r| r.schedule.epochs / 4),
                |r| &mut r.schedule.warmup,
            ),
            doc: "epochs at the start in which only the weights learn",
        },
        Field {
            name: "alternate",
            kind: Kind::Word(&["epoch"], |_, _| {}),
            doc: "after what weights and choices take turns; `epoch` is the only way there is",
        },
        Field {
            name: "split",
            kind: Kind::Real(
                Bounds { low: 0.0, above_low: true, high: 1.0, below_high: true },
                0.8,
                |r| &mut r.schedule.split,
            ),
            doc: "share of the training images for the weights; the choices learn on the rest",
        },
        Field {
            name: "seed",
            kind: Kind::Seed(0, |r| &mut r.seed),
            doc: "where all randomness of the run comes from: initial weights, order and \
                  augmentation of images, noise, drawn networks, retraining",
        },
    ],
};

const DERIVE: Section = Section {
    name: "derive",
    kinds: Kinds::None,
    doc: "how the network is picked after the search",
    fields: &[
        Field {
            name: "sample",
            kind: Kind::Count(1, MANY, CountDefault::Is(20), |r| &mut r.derive.sample),
            doc: "networks drawn from the learned probabilities and scored on the validation \
                  images with inherited weights; the most probable one is always the first",
        },
        Field {
            name: "keep",
            kind: Kind::Count(
                1,
                MANY,
                CountDefault::From("5, or `sample` if that is less", |r| r.derive.sample.min(5)),
                |r| &mut r.derive.keep,
            ),
            doc: "how many of them are reported, best first; the best is retrained",
        },
    ],
};

const RETRAIN: Section = Section {
    name: "retrain",
    kinds: Kinds::None,
    doc: "how the picked network is trained from scratch, on all training images",
    fields: &[
        Field {
            name: "epochs",
            kind: Kind::Count(1, MANY, CountDefault::Is(60), |r| &mut r.retrain.epochs),
            doc: "epochs; the one with the best validation score is kept",
        },
        Field {
            name: "rate",
            kind: Kind::Anneal(
                closed(0.0, 100.0),
                Anneal { from: 0.05, to: 0.0, law: Law::Cosine },
                |r| &mut r.retrain.rate,
            ),
            doc: "learning rate, from the start of the first epoch to the end of the last",
        },
        Field {
            name: "momentum",
            kind: Kind::Real(below(0.0, 1.0), 0.9, |r| &mut r.retrain.momentum),
            doc: "momentum",
        },
        Field {
            name: "decay",
            kind: Kind::Real(closed(0.0, 1.0), 1e-4, |r| &mut r.retrain.decay),
            doc: "weight decay",
        },
        Field {
            name: "batch",
            kind: Kind::Count(1, MANY, CountDefault::Is(16), |r| &mut r.retrain.batch),
            doc: "images in a batch",
        },
        Field {
            name: "drop_path",
            kind: Kind::Anneal(closed(0.0, 1.0), Anneal::constant(1.0), |r| {
                &mut r.retrain.drop_path
            }),
            doc: "by what the rates of `drop_path` are multiplied; an epoch has the value at its \
                  start. With `0 -> 1` they grow to what the space says, as in DARTS",
        },
    ],
};

impl Kind {
    /// What values it takes, in words: "a whole number".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Kind::Count(..) | Kind::Seed(..) => "a whole number".to_owned(),
            Kind::Real(..) => "a number".to_owned(),
            Kind::Anneal(..) => "a number, or two with `->` between them and a law".to_owned(),
            Kind::Flag(..) => "`true` or `false`".to_owned(),
            Kind::Size(..) => "height and width".to_owned(),
            Kind::Range(..) => "a range of numbers".to_owned(),
            Kind::Path(..) => "a path in quotes".to_owned(),
            Kind::Word(words, _) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                quoted.join(" or ")
            }
        }
    }

    /// Whether a text would be one of its values if it stood without quotes.
    pub fn takes_unquoted(&self, text: &str) -> bool {
        let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        match self {
            Kind::Count(..) | Kind::Seed(..) | Kind::Size(..) => text.parse::<u64>().is_ok(),
            Kind::Real(..) | Kind::Anneal(..) => is_number(text),
            Kind::Range(..) => {
                text.split_once("..").is_some_and(|(low, high)| is_number(low) && is_number(high))
            }
            Kind::Flag(..) => matches!(text, "true" | "false"),
            Kind::Word(words, _) => words.contains(&text),
            Kind::Path(..) => false,
        }
    }

    /// Its range, in words; `None` where its kind says all.
    #[must_use]
    pub fn range(&self) -> Option<String> {
        match self {
            Kind::Count(least, most, ..) => Some(format!("at least {least} and at most {most}")),
            Kind::Seed(..) => Some(format!("at least 0 and at most {}", u64::MAX)),
            Kind::Real(bounds, ..) | Kind::Anneal(bounds, ..) | Kind::Range(bounds, ..) => {
                Some(bounds.to_string())
            }
            Kind::Size(..) => Some(format!("at least 1 and at most {MANY}")),
            Kind::Flag(..) | Kind::Path(..) | Kind::Word(..) => None,
        }
    }

    /// The default as it is written, or in words where other settings make it.
    #[must_use]
    pub fn default(&self) -> String {
        match self {
            Kind::Count(_, _, CountDefault::From(words, _), _)
            | Kind::Size(words, _)
            | Kind::Range(_, words, _) => (*words).to_owned(),
            _ => self.example(),
        }
    }

    /// A value that it takes: the default where that is one.
    #[must_use]
    pub fn example(&self) -> String {
        match self {
            Kind::Count(least, _, CountDefault::From(..), _) => (*least).max(5).to_string(),
            Kind::Count(_, _, CountDefault::Is(default), _) => default.to_string(),
            Kind::Seed(default, _) => default.to_string(),
            Kind::Real(_, default, _) => number(*default),
            Kind::Anneal(_, anneal, _) => anneal.to_string(),
            Kind::Flag(default, _) => default.to_string(),
            Kind::Size(..) => "(64, 64)".to_owned(),
            Kind::Range(..) => "0.5..2.0".to_owned(),
            Kind::Path(default, _) => format!("\"{default}\""),
            Kind::Word(words, _) => words.first().copied().unwrap_or_default().to_owned(),
        }
    }

    /// The largest of a count or a size.
    pub const MOST: u32 = MANY;
}

/// A number as it is written: small ones with an exponent.
pub fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:e}") } else { value.to_string() }
}

impl fmt::Display for Anneal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            return f.write_str(&number(self.from));
        }
        write!(f, "{} -> {} {}", number(self.from), number(self.to), self.law)
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Law::WORDS.iter().find(|(_, law)| law == self).map(|(word, _)| *word);
        f.write_str(word.unwrap_or_default())
    }
}
