//! The errors of a regression.

use nas_ir::Metric;
use nas_ir::metric::TaskMetrics;
use nas_search::Metrics;
use tch::{Kind, Tensor};

use crate::error::TorchError;
use crate::layout::values;
use crate::task::DeviceTargets;

/// What PSNR is at most, in dB: that of a picture without an error would be infinite.
const MOST: f64 = 100.0;

/// How far the answers of a network are from what is there.
pub(super) struct Errors {
    peak: f64,
    absolute: f64,
    squared: f64,
    known: f64,
    /// The sum of the PSNR of maps, and their number.
    psnr: f64,
    maps: u64,
}

impl Errors {
    pub(super) fn new(peak: f64) -> Self {
        Self { peak, absolute: 0.0, squared: 0.0, known: 0.0, psnr: 0.0, maps: 0 }
    }

    /// Adds a batch with its answers, `[N, values]` or `[N, values, H, W]`.
    pub(super) fn add(
        &mut self,
        answers: &Tensor,
        targets: &DeviceTargets,
    ) -> Result<(), TorchError> {
        let (known, wanted) = targets.known()?;
        let error = answers.f_sub(&wanted)?.f_mul(&known)?.f_flatten(1, -1)?;
        let sums = |tensor: &Tensor| -> Result<Vec<f32>, TorchError> {
            values(
                &tensor
                    .f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Double)?
                    .f_to_kind(Kind::Float)?,
            )
        };
        let absolute = sums(&error.f_abs()?)?;
        let squared = sums(&error.f_square()?)?;
        let counts = sums(&known.f_flatten(1, -1)?)?;
        let is_map = answers.dim() > 2;
        for ((absolute, squared), count) in absolute.into_iter().zip(squared).zip(counts) {
            let [absolute, squared, count] = [absolute, squared, count].map(f64::from);
            self.absolute += absolute;
            self.squared += squared;
            self.known += count;
            if is_map && count > 0.0 {
                self.psnr += psnr(squared / count, self.peak);
                self.maps += 1;
            }
        }
        Ok(())
    }

    pub(super) fn metrics(&self, declared: TaskMetrics, loss: f64) -> Option<Metrics> {
        let known = self.known.max(1.0);
        let value = |metric| match metric {
            Metric::Mae => Some(self.absolute / known),
            Metric::Rmse => Some((self.squared / known).sqrt()),
            Metric::Psnr => (self.maps > 0).then(|| self.psnr / self.maps as f64),
            Metric::Loss => Some(loss),
            Metric::Miou
            | Metric::Accuracy
            | Metric::Top5
            | Metric::F1
            | Metric::MicroF1
            | Metric::Auroc
            | Metric::MeanAp => None,
        };
        Metrics::new(declared, value, |_| Vec::new())
    }
}

/// `10 log10(peak^2 / mean squared error)`, in dB.
fn psnr(squared: f64, peak: f64) -> f64 {
    (10.0 * (peak * peak / squared).log10()).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psnr_is_in_decibels_and_bounded() {
        assert!((psnr(0.01, 1.0) - 20.0).abs() < 1e-9);
        assert!((psnr(0.01, 10.0) - 40.0).abs() < 1e-9);
        assert_eq!(psnr(0.0, 1.0), 100.0);
    }
}
