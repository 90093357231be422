//! How an annealed value moves over the epochs.

use std::f64::consts::PI;

use super::{Anneal, Law};

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
