//! Means and covariances of channels, from which the moments follow of whatever a 1x1 convolution makes of them.
//!
//! For `p = W x` at each pixel, the mean of `p` is `W m` and the variance of its channel `h` is `w_h C w_h^T`. So one pass over
//! narrow maps tells the moments of all wide ones that are made of them, by any number of convolutions, before any of these
//! is computed.

use crate::kernel::Kernel;
use crate::moments::Moments;
use crate::pointwise::add_wide;
use crate::shape::{Bands, Map};
use crate::simd::{Level, Simd};
use crate::tiles::{Finish, Job, Rows, Tile, Tiles, at, padded_width, panels, with_padding};
use crate::work::{Partials, Shared, TASKS, Work, stretches, with_scratch};

/// Rows whose sums are of single precision.
const ROWS: usize = 96;

/// The mean of each channel, and the covariance of each two, over all pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Covariance {
    /// `[channels]`.
    mean: Vec<f64>,
    /// `[channels][channels]`.
    matrix: Vec<f64>,
}

/// A covariance to be computed.
pub(crate) struct Forward<'a> {
    maps: &'a [f32],
    channels: usize,
    /// What is subtracted from each row, so that sums lose fewer digits: the mean of some of them.
    shift: Vec<f32>,
    stretches: Vec<[usize; 2]>,
    /// `[1 + channels][padded_width]`.
    sums: Partials<f64>,
}

impl<'a> Forward<'a> {
    /// Of rows of channels.
    pub(crate) fn new(maps: &'a [f32], channels: usize) -> Self {
        let rows = maps.len() / channels.max(1);
        assert_eq!(maps.len(), rows * channels, "rows of channels");
        let shift = with_padding(&mean_of_some(maps, channels));
        let stretches = stretches(rows, ROWS, TASKS);
        let sums = Partials::new(stretches.len(), (channels + 1) * shift.len());
        Self { maps, channels, shift, stretches, sums }
    }

    /// What comes of it, once all tasks have run.
    pub(crate) fn covariance(&self) -> Covariance {
        let (channels, width) = (self.channels, self.shift.len());
        let total = self.sums.total();
        let count = (self.maps.len() / channels.max(1)).max(1) as f64;
        let mean: Vec<f64> = total[..channels].iter().map(|sum| sum / count).collect();
        let mut matrix = vec![0.0; channels * channels];
        for (i, row) in matrix.chunks_exact_mut(channels.max(1)).enumerate() {
            let own = &total[(i + 1) * width..];
            for ((value, sum), of_column) in row.iter_mut().zip(own).zip(&mean) {
                *value = sum / count - mean[i] * of_column;
            }
        }
        let shifted = mean.iter().zip(&self.shift);
        let mean = shifted.map(|(mean, shift)| mean + f64::from(*shift)).collect();
        Covariance { mean, matrix }
    }
}

/// The mean of some rows all over.
fn mean_of_some(maps: &[f32], channels: usize) -> Vec<f32> {
    const SOME: usize = 64;
    let rows = maps.len() / channels.max(1);
    let step = (rows / SOME).max(1);
    let mut sums = vec![0.0; channels];
    let mut count = 0.0;
    for row in maps.chunks_exact(channels.max(1)).step_by(step) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
        count += 1.0;
    }
    sums.iter().map(|sum| sum / f32::max(count, 1.0)).collect()
}

impl Work for Forward<'_> {
    fn tasks(&self) -> usize {
        self.stretches.len()
    }

    fn run(&self, level: Level, task: usize) {
        let width = self.shift.len();
        with_scratch((ROWS + 1 + self.channels) * width, |scratch| {
            let job = ForwardJob {
                maps: self.maps.as_ptr(),
                shift: self.shift.as_ptr(),
                channels: self.channels,
                rows: self.stretches[task],
                scratch,
                // SAFETY: a row of sums for each task.
                sums: unsafe { self.sums.row(task) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared in `new`.
            unsafe { at(level, job) };
        });
    }
}

struct ForwardJob {
    maps: *const f32,
    shift: *const f32,
    channels: usize,
    rows: [usize; 2],
    scratch: *mut f32,
    sums: *mut f64,
}

impl Job for ForwardJob {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let (channels, width) = (self.channels, padded_width(self.channels));
            let own = self.scratch.add(ROWS * width);
            let mut row = from;
            while row < to {
                let count = ROWS.min(to - row);
                own.write_bytes(0, (channels + 1) * width);
                for i in 0..count {
                    let mut channel = 0;
                    while channel < width {
                        let left = channels.saturating_sub(channel);
                        let from = self.maps.add((row + i) * channels + channel.min(channels));
                        let shift = S::load(self.shift.add(channel));
                        let x = S::sub(S::load_some(from, left), shift);
                        S::store(self.scratch.add(i * width + channel), x);
                        let sum = own.add(channel);
                        S::store(sum, S::add(S::load(sum), x));
                        channel += S::N;
                    }
                }
                let left = Rows { first: self.scratch, step: width, count };
                for panel in panels(channels) {
                    let right = Rows { first: self.scratch.add(panel.first), ..left };
                    panel.outer::<S>(left, channels, right, own.add(width + panel.first), width);
                }
                add_wide(self.sums, own, (channels + 1) * width);
                row += count;
            }
        }
    }
}

/// The gradients of means and covariances.
#[derive(Debug, Clone)]
pub(crate) struct CovarianceGradient {
    mean: Vec<f64>,
    matrix: Vec<f64>,
}

impl CovarianceGradient {
    pub(crate) fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], matrix: vec![0.0; channels * channels] }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let mean = self.mean.iter_mut().zip(&other.mean);
        for (sum, value) in mean.chain(self.matrix.iter_mut().zip(&other.matrix)) {
            *sum += value;
        }
    }
}

/// The gradient of maps of which mean and covariance were taken, to be added to what is there.
pub(crate) struct Backward<'a> {
    maps: &'a [f32],
    channels: usize,
    bands: Bands,
    packed: Vec<f32>,
    constant: Vec<f32>,
    by_maps: Shared,
}

impl<'a> Backward<'a> {
    pub(crate) fn new(
        (maps, map): (&'a [f32], Map),
        of: &Covariance,
        by: &CovarianceGradient,
        by_maps: Shared,
    ) -> Self {
        let channels = map.channels;
        assert!(maps.len() == map.len() && of.mean.len() == channels, "maps");
        let count = map.pixels().max(1) as f64;
        // `x (G + G^T) / n`, and what does not depend on the pixel.
        let symmetric = |i: usize, j: usize| {
            (by.matrix[i * channels + j] + by.matrix[j * channels + i]) / count
        };
        let mut matrix = Vec::with_capacity(channels * channels);
        let mut constant = Vec::with_capacity(channels);
        for j in 0..channels {
            let mut of_mean = 0.0;
            for i in 0..channels {
                let value = symmetric(i, j);
                of_mean += of.mean[i] * value;
                matrix.push(value as f32);
            }
            constant.push((by.mean[j] / count - of_mean) as f32);
        }
        let kernel = Kernel { values: &matrix, inputs: channels, outputs: channels, groups: 1 };
        let (packed, constant) = (kernel.by_outputs(), with_padding(&constant));
        let bands = Bands::new(map, TASKS);
        Self { maps, channels, bands, packed, constant, by_maps }
    }
}

impl Work for Backward<'_> {
    fn tasks(&self) -> usize {
        self.bands.len()
    }

    fn run(&self, level: Level, task: usize) {
        for band in self.bands.of(task) {
            let job = BackwardJob {
                maps: self.maps.as_ptr(),
                packed: self.packed.as_ptr(),
                constant: self.constant.as_ptr(),
                channels: self.channels,
                rows: self.bands.pixels(band),
                // SAFETY: all pixels are some task's.
                to: unsafe { self.by_maps.at(0) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared in `new`.
            unsafe { at(level, job) };
        }
    }
}

struct BackwardJob {
    maps: *const f32,
    packed: *const f32,
    constant: *const f32,
    channels: usize,
    rows: [usize; 2],
    to: *mut f32,
}

impl Job for BackwardJob {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let channels = self.channels;
            let left =
                Rows { first: self.maps.add(from * channels), step: channels, count: to - from };
            let mut right = self.packed;
            for panel in panels(channels) {
                let mut finish = Plus {
                    to: self.to.add(from * channels + panel.first),
                    step: channels,
                    columns: panel.columns,
                    constant: self.constant.add(panel.first),
                };
                panel.product::<S, _>(left, channels, right, &mut finish);
                right = right.add(channels * panel.width);
            }
        }
    }
}

/// Adds a product and a constant for each column.
struct Plus {
    to: *mut f32,
    step: usize,
    columns: usize,
    constant: *const f32,
}

impl<S: Simd> Finish<S> for Plus {
    #[inline(always)]
    unsafe fn take<const R: usize, const V: usize>(
        &mut self,
        [row, column]: [usize; 2],
        tile: Tile<S, R, V>,
        count: usize,
    ) {
        unsafe {
            for j in 0..V {
                let column = column + j * S::N;
                let left = self.columns.saturating_sub(column);
                let constant = S::load(self.constant.add(column));
                let mut to = self.to.add(row * self.step + column);
                for (i, row) in tile.iter().enumerate() {
                    if i < count {
                        let v = S::add(row[j], constant);
                        S::store_some(to, S::add(v, S::load_some(to, left)), left);
                        to = to.add(self.step);
                    }
                }
            }
        }
    }
}

impl Covariance {
    /// The moments of what a 1x1 convolution makes.
    pub(crate) fn moments(&self, kernel: Kernel<'_>, level: Level) -> Moments {
        let mut moments =
            Moments { mean: vec![0.0; kernel.outputs], variance: vec![0.0; kernel.outputs] };
        // SAFETY: the level is one that was detected; the job has no pointers.
        unsafe { at(level, MomentsJob { of: self, kernel, to: &mut moments }) };
        moments
    }

    /// The gradients of mean and covariance, and of the kernel, for those of the moments of what the convolution
    /// makes; that of the kernel is added to what is there.
    pub(crate) fn moments_backward(
        &self,
        kernel: Kernel<'_>,
        by: [&[f64]; 2],
        by_kernel: &mut [f32],
        level: Level,
    ) -> CovarianceGradient {
        let mut to = CovarianceGradient::new(self.mean.len());
        // SAFETY: as in `moments`.
        unsafe { at(level, MomentsBackwardJob { of: self, kernel, by, by_kernel, to: &mut to }) };
        to
    }

    /// The covariances of a weighted sum with each channel that it is of.
    #[inline(always)]
    fn pushed(&self, weights: &[f32], first: usize, to: &mut [f64]) {
        let channels = self.mean.len();
        to.fill(0.0);
        for (i, weight) in weights.iter().enumerate() {
            let (own, weight) =
                (&self.matrix[(first + i) * channels + first..], f64::from(*weight));
            for (sum, value) in to.iter_mut().zip(own) {
                *sum += weight * value;
            }
        }
    }
}

struct MomentsJob<'a> {
    of: &'a Covariance,
    kernel: Kernel<'a>,
    to: &'a mut Moments,
}

impl Job for MomentsJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        let mut pushed = vec![0.0; self.kernel.inputs / self.kernel.groups];
        for output in 0..self.kernel.outputs {
            let (weights, first) = self.kernel.row(output);
            self.of.pushed(weights, first, &mut pushed);
            let (mut mean, mut variance) = (0.0, 0.0);
            for ((weight, pushed), of_mean) in
                weights.iter().zip(&pushed).zip(&self.of.mean[first..])
            {
                mean += f64::from(*weight) * of_mean;
                variance += f64::from(*weight) * pushed;
            }
            self.to.mean[output] = mean;
            self.to.variance[output] = if variance < 0.0 { 0.0 } else { variance };
        }
    }
}

struct MomentsBackwardJob<'a> {
    of: &'a Covariance,
    kernel: Kernel<'a>,
    by: [&'a [f64]; 2],
    by_kernel: &'a mut [f32],
    to: &'a mut CovarianceGradient,
}

impl Job for MomentsBackwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        let channels = self.of.mean.len();
        let mut pushed = vec![0.0; self.kernel.inputs / self.kernel.groups];
        let [by_mean, by_variance] = self.by;
        for output in 0..self.kernel.outputs {
            let (weights, first) = self.kernel.row(output);
            let (by_mean, by_variance) = (by_mean[output], by_variance[output]);
            self.of.pushed(weights, first, &mut pushed);
            let to_kernel = &mut self.by_kernel[output * weights.len()..][..weights.len()];
            for (i, weight) in weights.iter().enumerate() {
                let weight = f64::from(*weight);
                self.to.mean[first + i] += by_mean * weight;
                to_kernel[i] +=
                    (by_mean * self.of.mean[first + i] + 2.0 * by_variance * pushed[i]) as f32;
                let factor = by_variance * weight;
                let to = &mut self.to.matrix[(first + i) * channels + first..];
                for (to, other) in to.iter_mut().zip(weights) {
                    *to += factor * f64::from(*other);
                }
            }
        }
    }
}
