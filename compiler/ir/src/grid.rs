//! Rounding of values and kernels to integers of 8 bits (Jacob et al. 2018, "Quantization and Training of Neural
//! Networks for Efficient Integer-Arithmetic-Only Inference", equation 1).

use std::f32::consts::SQRT_2;

use half::f16;

use crate::dtype::Precision;

/// The 256 numbers `(level - zero) * step` that a value is rounded to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// How far two neighbours are apart; above 0.
    pub step: f32,
    /// The level of the number 0.
    pub zero: u8,
}

impl Grid {
    /// The level of a number: that of the nearest number of the grid, of two as near that which is even.
    #[must_use]
    pub fn level(self, x: f64) -> u8 {
        let level = (x / f64::from(self.step)).round_ties_even() + f64::from(self.zero);
        level.clamp(0.0, 255.0) as u8
    }

    /// The number of a level.
    #[must_use]
    pub fn number(self, level: u8) -> f64 {
        (f64::from(level) - f64::from(self.zero)) * f64::from(self.step)
    }

    /// A number rounded to the grid.
    #[must_use]
    pub fn round(self, x: f64) -> f64 {
        self.number(self.level(x))
    }

    /// The least and the largest number.
    #[must_use]
    pub fn range(self) -> [f64; 2] {
        [self.number(0), self.number(255)]
    }
}

/// With what numbers a node computes, and what it rounds, in a network that does not compute with 32-bit floats alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rounding {
    /// With what numbers it computes. Where these are 16-bit floats, its value is one before it is rounded to a grid.
    pub precision: Precision,
    /// To what its value is rounded.
    pub value: Option<Grid>,
    /// Values of the same number share their grid, whatever training makes of it.
    pub group: Option<usize>,
    /// For each channel of its value by how far the numbers are apart that its kernel consists of; a number is a whole
    /// multiple of that, of -127 to 127.
    pub kernel: Option<Vec<f32>>,
}

impl Rounding {
    /// Whether it has integers: of a value, or of a kernel.
    #[must_use]
    pub fn is_of_integers(&self) -> bool {
        self.value.is_some() || self.kernel.is_some()
    }
}

/// The nearest 16-bit float (binary16 of IEEE 754); infinite beyond 65,520.
#[must_use]
pub fn to_half(number: f32) -> f32 {
    f16::from_f32(number).to_f32()
}

/// The name of the step that the values of a group learn, among the weights of a network in training.
#[must_use]
pub fn value_step_name(group: usize) -> String {
    format!("values.{group}.step")
}

/// The name of the steps that the kernel of this name learns.
#[must_use]
pub fn kernel_step_name(kernel: &str) -> String {
    format!("{kernel}.step")
}

/// Whether a tensor of this name is such a step.
#[must_use]
pub fn is_step(name: &str) -> bool {
    name.ends_with(".step")
}

/// The step that a learned number stands for: its size, or of the powers of two the one whose logarithm is nearest. Training
/// computes it by the same steps, so that both have the same bits.
#[must_use]
pub fn learned_step(number: f32, powers_of_two: bool) -> f32 {
    let step = number.abs().max(LEAST_STEP);
    if powers_of_two { f32::from_bits((step * SQRT_2).to_bits() & POWER_OF_TWO) } else { step }
}

/// The least step that is learned; its products with others are still numbers.
pub const LEAST_STEP: f32 = 1e-18;
/// The bits of a float above 0 without which it is the largest power of two that is not above it.
pub const POWER_OF_TWO: u32 = 0xFF80_0000;

/// The largest multiple of a step in a kernel.
pub const KERNEL_MAX: f64 = 127.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_and_ties_to_even() {
        let grid = Grid { step: 0.5, zero: 100 };
        assert_eq!(
            [0.0, 0.24, 0.25, 0.75, -0.25].map(|x| grid.level(x)),
            [100, 100, 100, 102, 100]
        );
        assert_eq!(grid.range(), [-50.0, 77.5]);
        assert_eq!([-1e9, 1e9].map(|x| grid.round(x)), [-50.0, 77.5]);
        assert!((0..=255).all(|level| grid.level(grid.number(level)) == level));
    }

    #[test]
    fn learned_steps_are_sizes_or_the_nearest_power_of_two() {
        assert_eq!([0.3, -0.3].map(|number| learned_step(number, false)), [0.3, 0.3]);
        let powers = [0.25, 0.34, 0.36, -0.5, 3.0].map(|number| learned_step(number, true));
        assert_eq!(powers, [0.25, 0.25, 0.5, 0.5, 4.0]);
        assert!([false, true].iter().all(|&powers| learned_step(0.0, powers) > 0.0));
    }
}
