//! What a search takes, counted in the same way for everything that trains or scores: images that go through a
//! network, forward and backward.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Images that went through networks. One that goes through several networks counts for each of them; one whose
/// candidates are mixed counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Work {
    /// Forward.
    pub forward: u64,
    /// Backward, after they went forward.
    pub backward: u64,
}

impl Work {
    /// That of evaluating so many images.
    #[must_use]
    pub fn forward(images: u64) -> Self {
        Self { forward: images, backward: 0 }
    }

    /// That of training on so many images.
    #[must_use]
    pub fn training(images: u64) -> Self {
        Self { forward: images, backward: images }
    }

    /// Whether nothing was done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What came since an earlier count.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            forward: self.forward.saturating_sub(earlier.forward),
            backward: self.backward.saturating_sub(earlier.backward),
        }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self {
            forward: self.forward.saturating_mul(count),
            backward: self.backward.saturating_mul(count),
        }
    }

    /// In thirds of an image that is trained on: the way back takes two, as it multiplies by the weights and by the
    /// values, and the way forward one.
    #[must_use]
    pub fn thirds(self) -> u64 {
        self.forward.saturating_add(self.backward.saturating_mul(2))
    }

    /// In images that are trained on, forward and backward.
    #[must_use]
    pub fn images(self) -> f64 {
        self.thirds() as f64 / 3.0
    }
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            forward: self.forward.saturating_add(other.forward),
            backward: self.backward.saturating_add(other.backward),
        }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_only_goes_forward_counts_a_third() {
        let work = Work::training(200) + Work::forward(300);
        assert_eq!(work, Work { forward: 500, backward: 200 });
        assert!((work.images() - 300.0).abs() < 1e-12);
        assert_eq!(work.since(Work::forward(300)), Work::training(200));
        assert_eq!([work, work].into_iter().sum::<Work>(), work.times(2));
        assert!(Work::default().is_none() && !work.is_none());
    }
}
