//! Rounding of values and kernels to integers of 8 bits (Jacob et al. 2018, "Quantization and Training of Neural
//! Networks for Efficient Integer-Arithmetic-Only Inference", equation 1).

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

/// What a node rounds, in a network that computes with integers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rounding {
    /// To what its value is rounded.
    pub value: Option<Grid>,
    /// For each channel of its value by how far the numbers are apart that its kernel consists of; a number is a whole
    /// multiple of that, of -127 to 127.
    pub kernel: Option<Vec<f32>>,
}

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
}
