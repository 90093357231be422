//! Means and covariances of channels, from which the moments follow of whatever a 1x1 convolution makes of them.
//!
//! For `p = W x` at each pixel, the mean of `p` is `W m` and the variance of its channel `h` is `w_h C w_h^T`. So one pass over
//! narrow maps tells the moments of all wide ones that are made of them, by any number of convolutions, before any of these
//! is computed.

use crate::pointwise::{Kernel, padded_width};
use crate::shape::Moments;
use crate::simd::{Job, Simd, at};
use crate::tiles::{Finish, Panel, Rows, Tiles, panels};
use crate::work::{Partials, Processor, Shared, TASKS, stretches, with_scratch};

const ROWS: usize = 96;

/// The mean of each channel, and the covariance of each two, over all pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    /// `[channels]`.
    pub mean: Vec<f32>,
    /// `[channels][channels]`.
    pub matrix: Vec<f32>,
}

/// Of rows `[rows][channels]`.
#[must_use]
pub fn covariance(processor: Processor<'_>, maps: &[f32], channels: usize) -> Covariance {
    let rows = maps.len() / channels.max(1);
    assert_eq!(maps.len(), rows * channels, "rows of channels");
    let width = padded_width(channels);
    // Sums of a shifted variable lose fewer digits: by the first row.
    let shift = maps.get(..channels).unwrap_or_default();
    let stretches = stretches(rows, ROWS, TASKS);
    let each = (channels + 1) * width;
    let mut partials = Partials::new(stretches.len(), each);
    let sums = partials.shared();
    processor.pool.run(stretches.len(), &|task| {
        with_scratch(ROWS * width, |scratch| {
            let job = Sums {
                maps: maps.as_ptr(),
                shift: shift.as_ptr(),
                channels,
                rows: stretches[task],
                scratch,
                // SAFETY: a row of sums for each task.
                sums: unsafe { sums.at(task * each) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared above.
            unsafe { at(processor.level, job) };
        });
    });
    let total = partials.total();
    let count = rows.max(1) as f64;
    let mean: Vec<f64> = total[..channels].iter().map(|sum| sum / count).collect();
    let mut matrix = vec![0.0; channels * channels];
    for (i, row) in matrix.chunks_exact_mut(channels.max(1)).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            *value = (total[(i + 1) * width + j] / count - mean[i] * mean[j]) as f32;
        }
    }
    let mean = mean.iter().zip(shift).map(|(mean, shift)| (mean + f64::from(*shift)) as f32);
    Covariance { mean: mean.collect(), matrix }
}

struct Sums {
    maps: *const f32,
    shift: *const f32,
    channels: usize,
    rows: [usize; 2],
    scratch: *mut f32,
    sums: *mut f32,
}

impl Job for Sums {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let (channels, width) = (self.channels, padded_width(self.channels));
            let minus = S::splat(-1.0);
            let mut row = from;
            while row < to {
                let count = ROWS.min(to - row);
                for i in 0..count {
                    let mut channel = 0;
                    while channel < width {
                        let left = channels.saturating_sub(channel);
                        let from = self.maps.add((row + i) * channels + channel.min(channels));
                        let x = S::load_some(from, left);
                        let shift = S::load_some(self.shift.add(channel.min(channels)), left);
                        let x = S::fma(shift, minus, x);
                        S::store(self.scratch.add(i * width + channel), x);
                        let sum = self.sums.add(channel);
                        S::store(sum, S::add(S::load(sum), x));
                        channel += S::N;
                    }
                }
                let left = Rows { first: self.scratch, step: width, count };
                for panel in panels(channels) {
                    let right = Rows { first: self.scratch.add(panel.first), ..left };
                    let sums = self.sums.add(width + panel.first);
                    panel.outer::<S>(left, channels, right, sums, width);
                }
                row += count;
            }
        }
    }
}

/// The gradient with respect to maps of which the mean and the covariance were taken, into memory that is there.
pub fn covariance_backward(
    processor: Processor<'_>,
    maps: &[f32],
    of: &Covariance,
    by_mean: &[f32],
    by_matrix: &[f32],
    by_maps: &mut [f32],
) {
    let channels = of.mean.len();
    let rows = maps.len() / channels.max(1);
    assert!([maps.len(), by_maps.len()] == [rows * channels; 2], "rows of channels");
    let count = rows.max(1) as f32;
    // Of the matrix `x (G + G^T) / n`, and what does not depend on the pixel.
    let symmetric = |i: usize, j: usize| {
        (by_matrix[i * channels + j] + by_matrix[j * channels + i]) / count
    };
    let matrix: Vec<f32> = (0..channels * channels)
        .map(|place| symmetric(place / channels, place % channels))
        .collect();
    let mut constant = vec![0.0; padded_width(channels)];
    for (j, constant) in constant.iter_mut().take(channels).enumerate() {
        let of_mean: f32 = (0..channels).map(|i| of.mean[i] * matrix[i * channels + j]).sum();
        *constant = by_mean[j] / count - of_mean;
    }
    let kernel = Kernel { values: &matrix, inputs: channels, outputs: channels, groups: 1 };
    let packed = kernel.by_outputs();
    let stretches = stretches(rows, ROWS, TASKS);
    let to = Shared::new(by_maps);
    processor.pool.run(stretches.len(), &|task| {
        let job = Affine {
            maps: maps.as_ptr(),
            packed: packed.as_ptr(),
            constant: constant.as_ptr(),
            channels,
            rows: stretches[task],
            // SAFETY: all rows are some task's.
            to: unsafe { to.at(0) },
        };
        // SAFETY: as in `covariance`.
        unsafe { at(processor.level, job) };
    });
}

struct Affine {
    maps: *const f32,
    packed: *const f32,
    constant: *const f32,
    channels: usize,
    rows: [usize; 2],
    to: *mut f32,
}

impl Job for Affine {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let channels = self.channels;
            let left =
                Rows { first: self.maps.add(from * channels), step: channels, count: to - from };
            let mut right = self.packed;
            for Panel { first, columns, width } in panels(channels) {
                let mut finish = Plus {
                    to: self.to.add(from * channels + first),
                    step: channels,
                    columns,
                    constant: self.constant.add(first),
                };
                let panel = Panel { first, columns, width };
                panel.product::<S, _>(left, channels, right, &mut finish);
                right = right.add(channels * width);
            }
        }
    }
}

/// Writes a product plus a constant for each column.
struct Plus {
    to: *mut f32,
    step: usize,
    columns: usize,
    constant: *const f32,
}

impl<S: Simd> Finish<S> for Plus {
    #[inline(always)]
    unsafe fn take(&mut self, row: usize, column: usize, v: S::V) {
        unsafe {
            let left = self.columns.saturating_sub(column);
            let v = S::add(v, S::load(self.constant.add(column)));
            S::store_some(self.to.add(row * self.step + column), v, left);
        }
    }
}

impl Covariance {
    /// The moments of what a 1x1 convolution makes.
    #[must_use]
    pub fn moments(&self, kernel: Kernel<'_>) -> Moments {
        let (mut mean, mut variance) = (Vec::new(), Vec::new());
        for output in 0..kernel.outputs {
            let row = Row::of(kernel, output);
            let own = row.weights.iter().zip(&self.mean[row.first..]);
            mean.push(own.map(|(w, m)| f64::from(*w) * f64::from(*m)).sum::<f64>() as f32);
            let pushed = self.pushed(row);
            let own = row.weights.iter().zip(pushed);
            let value = own.map(|(w, c)| f64::from(*w) * c).sum::<f64>();
            variance.push(if value < 0.0 { 0.0 } else { value as f32 });
        }
        Moments { mean, variance }
    }

    /// The gradients with respect to the mean, the matrix and the kernel, for those with respect to the moments of what
    /// the convolution makes; what is there is added to.
    pub fn moments_backward(
        &self,
        kernel: Kernel<'_>,
        [by_mean, by_variance]: [&[f32]; 2],
        [to_mean, to_matrix, to_kernel]: [&mut [f32]; 3],
    ) {
        let channels = self.mean.len();
        for output in 0..kernel.outputs {
            let row = Row::of(kernel, output);
            let (by_mean, by_variance) = (by_mean[output], by_variance[output]);
            let pushed = self.pushed(row);
            let to_kernel = &mut to_kernel[output * row.weights.len()..];
            for (i, weight) in row.weights.iter().enumerate() {
                let channel = row.first + i;
                to_mean[channel] += by_mean * weight;
                to_kernel[i] += by_mean * self.mean[channel] + 2.0 * by_variance * pushed[i] as f32;
                let to = &mut to_matrix[channel * channels + row.first..];
                let factor = by_variance * weight;
                for (to, other) in to.iter_mut().zip(row.weights) {
                    *to += factor * other;
                }
            }
        }
    }

    /// The covariances of a row with each channel that it reads.
    fn pushed(&self, row: Row<'_>) -> Vec<f64> {
        let channels = self.mean.len();
        let mut sums = vec![0.0; row.weights.len()];
        for (i, weight) in row.weights.iter().enumerate() {
            let own = &self.matrix[(row.first + i) * channels + row.first..];
            for (sum, value) in sums.iter_mut().zip(own) {
                *sum += f64::from(*weight) * f64::from(*value);
            }
        }
        sums
    }
}

/// What makes a channel: weights of channels from `first` on.
#[derive(Clone, Copy)]
struct Row<'a> {
    weights: &'a [f32],
    first: usize,
}

impl<'a> Row<'a> {
    fn of(kernel: Kernel<'a>, output: usize) -> Self {
        let (inputs, outputs) = (kernel.inputs / kernel.groups, kernel.outputs / kernel.groups);
        let weights = &kernel.values[output * inputs..][..inputs];
        Self { weights, first: output / outputs.max(1) * inputs }
    }
}
