//! A value that may move over the epochs, and how it is written.

use std::f64::consts::PI;
use std::fmt;

use serde::Serialize;

/// How a value moves from its first to its last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// In equal steps.
    Linear,
    /// By an equal factor each epoch.
    Exponential,
    /// Half a cosine wave (Loshchilov and Hutter 2017, without restarts).
    Cosine,
}

/// A value that may change over the epochs: see [`Anneal::at`] and [`Anneal::over`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Anneal {
    /// In the first epoch, or at its start.
    pub from: f64,
    /// In the last epoch, or at its end.
    pub to: f64,
    /// How it moves between.
    pub law: Law,
}

impl Law {
    /// The words that name the laws, each with its law.
    pub const WORDS: &'static [(&'static str, Law)] =
        &[("linear", Law::Linear), ("exponential", Law::Exponential), ("cosine", Law::Cosine)];
}

impl Anneal {
    /// A value that does not move.
    #[must_use]
    pub const fn constant(value: f64) -> Self {
        Self { from: value, to: value, law: Law::Linear }
    }

    /// The value of one epoch, from 0, of `epochs`: `from` in the first, `to` in the last and
    /// in any after it. With a single epoch it is `from`.
    ///
    /// With `t = epoch / (epochs - 1)`: linear `from + (to - from) t`, exponential
    /// `from (to / from)^t`, cosine `to + (from - to) (1 + cos(pi t)) / 2`.
    #[must_use]
    pub fn at(&self, epoch: u32, epochs: u32) -> f64 {
        let last = epochs.saturating_sub(1);
        if last == 0 { self.from } else { self.point(f64::from(epoch) / f64::from(last)) }
    }

    /// The values at the start and at the end of one epoch, from 0, of `epochs`: `from` at the
    /// start of the first, `to` at the end of the last, so that a rate that goes to 0 is not 0
    /// during the last epoch. The laws are those of [`Anneal::at`], with `t` from 0 to 1 over
    /// all epochs.
    #[must_use]
    pub fn over(&self, epoch: u32, epochs: u32) -> [f64; 2] {
        let of = f64::from(epochs.max(1));
        [self.point(f64::from(epoch) / of), self.point((f64::from(epoch) + 1.0) / of)]
    }

    fn point(&self, t: f64) -> f64 {
        let Self { from, to, law } = *self;
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
            Law::Cosine => to + (from - to) * (1.0 + (PI * t).cos()) / 2.0,
        }
    }
}

/// A number as it is written: small ones with an exponent.
#[must_use]
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
