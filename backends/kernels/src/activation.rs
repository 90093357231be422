//! What is applied to each value.

use crate::simd::{Simd, sigmoid};

/// What is applied to each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// Linear between two bounds, and constant outside.
    Clamp {
        /// The lower bound.
        least: f32,
        /// The upper bound.
        most: f32,
    },
    /// `x * relu6(x + 3) / 6` (Howard et al. 2019).
    HardSwish,
    /// `x * sigmoid(x)` (Ramachandran et al. 2017).
    Swish,
}

impl Activation {
    /// Nothing.
    pub const NONE: Self = Self::Clamp { least: f32::NEG_INFINITY, most: f32::INFINITY };
    /// The rectifier.
    pub const RELU: Self = Self::Clamp { least: 0.0, most: f32::INFINITY };
    /// The rectifier up to 6.
    pub const RELU6: Self = Self::Clamp { least: 0.0, most: 6.0 };

    /// What a vector of values becomes.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    pub(crate) unsafe fn of<S: Simd>(self, x: S::V) -> S::V {
        unsafe {
            match self {
                Self::Clamp { least, most } => S::clamp(x, S::splat(least), S::splat(most)),
                Self::HardSwish => S::mul(x, hard_sigmoid::<S>(x)),
                Self::Swish => S::mul(x, sigmoid::<S>(x)),
            }
        }
    }

    /// The gradient of a vector of values `x`, for that of what they become.
    ///
    /// # Safety
    /// The processor has the instructions.
    #[inline(always)]
    pub(crate) unsafe fn gradient<S: Simd>(self, x: S::V, g: S::V) -> S::V {
        unsafe {
            match self {
                Self::Clamp { least, most } => S::inside(x, S::splat(least), S::splat(most), g),
                Self::HardSwish => {
                    let slope = S::inside(x, S::splat(-3.0), S::splat(3.0), S::splat(1.0 / 6.0));
                    S::mul(g, S::fma(x, slope, hard_sigmoid::<S>(x)))
                }
                Self::Swish => {
                    let own = sigmoid::<S>(x);
                    let rest = S::sub(S::splat(1.0), own);
                    S::mul(g, S::mul(own, S::fma(x, rest, S::splat(1.0))))
                }
            }
        }
    }
}

/// `relu6(x + 3) / 6`.
#[inline(always)]
unsafe fn hard_sigmoid<S: Simd>(x: S::V) -> S::V {
    unsafe {
        let line = S::fma(x, S::splat(1.0 / 6.0), S::splat(0.5));
        S::clamp(line, S::splat(0.0), S::splat(1.0))
    }
}
