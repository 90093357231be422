//! What grids are allowed, and from ranges to grids.

use nas_ir::grid::KERNEL_MAX;
use nas_ir::{Grid, Op, Tensor};

/// What grids are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scheme {
    /// Whether 0 is the middle level of each value.
    pub symmetric: bool,
    /// Whether each step is a power of two, so that hardware shifts instead of multiplying.
    pub powers_of_two: bool,
}

impl Scheme {
    /// The grid of a range, which holds 0.
    #[must_use]
    pub fn grid(self, [low, high]: [f64; 2]) -> Grid {
        let (step, zero) = if self.symmetric {
            (low.abs().max(high) / KERNEL_MAX, 128)
        } else {
            let step = (high - low) / 255.0;
            let zero = if step > 0.0 { (-low / step).round_ties_even() } else { 0.0 };
            (step, zero.clamp(0.0, 255.0) as u8)
        };
        let step = self.step(step);
        // With a larger step there is room on both sides; levels stay those of the own range.
        let zero = if self.powers_of_two && !self.symmetric {
            (-low / f64::from(step)).round_ties_even().clamp(0.0, 255.0) as u8
        } else {
            zero
        };
        Grid { step, zero }
    }

    /// A step of at least this size, above 0.
    fn step(self, step: f64) -> f32 {
        let step = if step > 0.0 && step.is_finite() { step } else { 1.0 / 255.0 };
        let step = if self.powers_of_two { step.log2().ceil().exp2() } else { step };
        (step as f32).max(f32::MIN_POSITIVE)
    }

    /// For each channel of a node's value the step of its kernel, by the largest of its taps; one for all where the channels
    /// lie along no axis of it.
    pub(crate) fn kernel_steps(self, op: &Op, kernel: &Tensor, channels: u32) -> Vec<f32> {
        let mut most = vec![0.0_f64; channels as usize];
        let taps: u32 = kernel.dims.iter().skip(2).product();
        let rows = kernel.floats().unwrap_or_default().chunks(taps.max(1) as usize);
        for (taps, row) in rows.zip(op.kernel_rows(&kernel.dims)) {
            for most in most.iter_mut().skip(row.output as usize).take(1) {
                *most = taps.iter().fold(*most, |most, &tap| most.max(f64::from(tap).abs()));
            }
        }
        if op.channel_axis().is_none() {
            let largest = most.iter().copied().fold(0.0, f64::max);
            most.fill(largest);
        }
        most.into_iter().map(|most| self.step(most / KERNEL_MAX)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_hold_their_range_and_zero() {
        let plain = Scheme::default();
        let grid = plain.grid([-1.0, 3.0]);
        assert!((f64::from(grid.step) - 4.0 / 255.0).abs() < 1e-9);
        assert_eq!(grid.zero, 64);
        let symmetric = Scheme { symmetric: true, ..plain }.grid([-1.0, 3.0]);
        assert_eq!((symmetric.zero, symmetric.step), (128, (3.0 / 127.0) as f32));
        let shifts = Scheme { powers_of_two: true, ..plain }.grid([-1.0, 3.0]);
        assert_eq!((shifts.step, shifts.zero), (1.0 / 32.0, 32));
        assert!(shifts.range()[1] >= 3.0);
        assert!(plain.grid([0.0, 0.0]).step > 0.0);
    }
}
