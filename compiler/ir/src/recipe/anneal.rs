//! A value that may move over the epochs, and how it is written.

use std::f64::consts::PI;
use std::fmt;

use serde::{Serialize, Serializer};

use super::bounds::Bounds;

/// How a value moves from its first to its last epoch. It prints, and serialises, as it is written:
/// `cosine`, `polynomial(0.9)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// In equal steps.
    Linear,
    /// By an equal factor each epoch.
    Exponential,
    /// Half a cosine wave (Loshchilov and Hutter 2017, without restarts).
    Cosine,
    /// By a power of what is left of the training (DeepLab, Chen et al. 2017, section 4.1).
    Polynomial {
        /// The power, above 0.
        power: f64,
    },
    /// In stairs of equal length, each lower by an equal factor (as He et al. 2016 train residual networks).
    Step {
        /// The number of stairs, at least 2: the first is `from`, the last `to`.
        stairs: f64,
    },
    /// One cycle (Smith 2018): from a 25th of `from` up to it and then down to `to`, both by half a cosine wave.
    OneCycle {
        /// The share of the training in which it rises, between 0 and 1.
        rise: f64,
    },
}

/// By what a cycle begins below its highest value, as in PyTorch's `OneCycleLR`.
const CYCLE_START: f64 = 1.0 / 25.0;

/// A value that may change over the epochs: see [`Anneal::at`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Anneal {
    /// In the first epoch, or at its start; of [`Law::OneCycle`], the highest value.
    pub from: f64,
    /// In the last epoch, or at its end.
    pub to: f64,
    /// How it moves between.
    pub law: Law,
}

impl Law {
    /// Each law by its word, with the argument that it has where none is given.
    pub const WORDS: &'static [(&'static str, Law)] = &[
        ("linear", Law::Linear),
        ("exponential", Law::Exponential),
        ("cosine", Law::Cosine),
        ("polynomial", Law::Polynomial { power: 0.9 }),
        ("step", Law::Step { stairs: 3.0 }),
        ("one_cycle", Law::OneCycle { rise: 0.3 }),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Exponential => "exponential",
            Self::Cosine => "cosine",
            Self::Polynomial { .. } => "polynomial",
            Self::Step { .. } => "step",
            Self::OneCycle { .. } => "one_cycle",
        }
    }

    /// Its argument, if it takes one.
    #[must_use]
    pub fn argument(self) -> Option<f64> {
        match self {
            Self::Linear | Self::Exponential | Self::Cosine => None,
            Self::Polynomial { power } => Some(power),
            Self::Step { stairs } => Some(stairs),
            Self::OneCycle { rise } => Some(rise),
        }
    }

    /// The same law with another argument; of one that takes none, the same.
    #[must_use]
    pub fn with(self, argument: f64) -> Self {
        match self {
            Self::Linear | Self::Exponential | Self::Cosine => self,
            Self::Polynomial { .. } => Self::Polynomial { power: argument },
            Self::Step { .. } => Self::Step { stairs: argument },
            Self::OneCycle { .. } => Self::OneCycle { rise: argument },
        }
    }

    /// What its argument must be: a range, and whether it is a whole number.
    #[must_use]
    pub fn arguments(self) -> Option<(Bounds, bool)> {
        match self {
            Self::Linear | Self::Exponential | Self::Cosine => None,
            Self::Polynomial { .. } => Some((Bounds::above(0.0, 10.0), false)),
            Self::Step { .. } => Some((Bounds::closed(2.0, 1000.0), true)),
            Self::OneCycle { .. } => Some((Bounds::inside(0.0, 1.0), false)),
        }
    }

    /// Whether both ends must be above 0: it goes by factors.
    #[must_use]
    pub fn is_by_factors(self) -> bool {
        matches!(self, Self::Exponential | Self::Step { .. })
    }
}

impl Anneal {
    /// A value that does not move.
    #[must_use]
    pub const fn constant(value: f64) -> Self {
        Self { from: value, to: value, law: Law::Linear }
    }

    /// Whether it is the same all the time.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.from == self.to && !matches!(self.law, Law::OneCycle { .. })
    }

    /// The value of one epoch, from 0, of `epochs`: `from` in the first, `to` in the last and
    /// in any after it. With a single epoch it is `from`.
    ///
    /// See [`Anneal::point`] with `t = epoch / (epochs - 1)`.
    #[must_use]
    pub fn at(&self, epoch: u32, epochs: u32) -> f64 {
        let last = epochs.saturating_sub(1);
        if last == 0 { self.from } else { self.point(f64::from(epoch) / f64::from(last)) }
    }

    /// The value at the start of one epoch, from 0, of `epochs`: `from` in the first; `to` comes only at the end of
    /// the last.
    #[must_use]
    pub fn start(&self, epoch: u32, epochs: u32) -> f64 {
        self.point(f64::from(epoch) / f64::from(epochs.max(1)))
    }

    /// The value after a share `t` of the training, 0 to 1.
    ///
    /// Linear `from + (to - from) t`; exponential `from (to / from)^t`; cosine
    /// `to + (from - to) (1 + cos(pi t)) / 2`; polynomial `to + (from - to) (1 - t)^power`; step
    /// `from (to / from)^(k / (stairs - 1))` on the stair `k` from 0; of one cycle, cosine from `from / 25` to `from`
    /// while `t` is below `rise`, and from there to `to`.
    #[must_use]
    pub fn point(&self, t: f64) -> f64 {
        let Self { from, to, law } = *self;
        if let Law::OneCycle { rise } = law {
            let start = from * CYCLE_START;
            return if t < rise {
                wave(start, from, t / rise)
            } else {
                wave(from, to, (t - rise) / (1.0 - rise))
            };
        }
        // The ends are exact, whatever the rounding between them.
        if t <= 0.0 || from == to {
            return from;
        }
        if t >= 1.0 {
            return to;
        }
        match law {
            Law::Linear => from + (to - from) * t,
            Law::Exponential => from * (to / from).powf(t),
            Law::Cosine | Law::OneCycle { .. } => wave(from, to, t),
            Law::Polynomial { power } => to + (from - to) * (1.0 - t).powf(power),
            Law::Step { stairs } => {
                // A stair begins where it should, though a share of the epochs is rounded.
                let stair = (t * stairs + 1e-9).floor().min(stairs - 1.0);
                from * (to / from).powf(stair / (stairs - 1.0))
            }
        }
    }
}

/// Half a cosine wave.
fn wave(from: f64, to: f64, t: f64) -> f64 {
    match t {
        t if t <= 0.0 => from,
        t if t >= 1.0 => to,
        t => to + (from - to) * (1.0 + (PI * t).cos()) / 2.0,
    }
}

/// A learning rate over a training: a warm-up, in which it rises linearly to its first value (Goyal et al. 2017), and
/// then what [`Anneal`] says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// After the warm-up.
    pub anneal: Anneal,
    /// The share of the training that the warm-up takes, below 1.
    pub warmup: f64,
}

impl LearningRate {
    /// The rate after a share `t` of the training, 0 to 1.
    #[must_use]
    pub fn at(&self, t: f64) -> f64 {
        let Self { anneal, warmup } = *self;
        if t < warmup {
            return anneal.point(0.0) * t / warmup;
        }
        let rest = 1.0 - warmup;
        anneal.point(if rest > 0.0 { (t - warmup) / rest } else { 0.0 })
    }
}

/// A number as it is written: small ones with an exponent.
#[must_use]
pub fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:e}") } else { value.to_string() }
}

impl fmt::Display for Anneal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stays() {
            return f.write_str(&number(self.from));
        }
        write!(f, "{} -> {} {}", number(self.from), number(self.to), self.law)
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.argument().map_or(Ok(()), |argument| write!(f, "({})", number(argument)))
    }
}

impl Serialize for Law {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
