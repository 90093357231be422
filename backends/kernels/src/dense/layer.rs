//! What a convolution of all channels is, and how lines of what it reads are loaded.

use crate::kernel::Kernel;
use crate::norm::{Loaded, Norm};
use crate::shape::{Map, Window};
use crate::simd::Simd;
use crate::tiles::{WIDE, padded_width};

/// Floats of lines that are worked on at once.
const LINES: usize = 64 * 1024;
/// Lines whose gradients are made at once, if these are no more floats than twice as many; no fewer than the least, for results that
/// are seen by two such stretches are loaded twice.
const BACK: [usize; 2] = [8, 32];

/// A convolution of all channels by a window, of values that are normalised as they are loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dense<'a> {
    /// The shape of what it reads.
    pub(crate) from: Map,
    /// The shape of what it makes.
    pub(crate) to: Map,
    pub(crate) window: Window,
    /// `[outputs][channels][taps]`.
    pub(crate) kernel: &'a [f32],
    /// Of the values.
    pub(crate) norm: &'a Loaded,
    /// `[pixels][channels]`.
    pub(crate) values: &'a [f32],
}

/// Taps whose values lie side by side: a line of the kernel or, of dilated ones, a tap.
#[derive(Debug)]
pub(super) struct Runs {
    /// Line and column of the first tap of each.
    taps: Vec<[usize; 2]>,
    /// From the first value that a result sees to the first of each run.
    pub(super) offsets: Vec<usize>,
    /// Values of a run.
    pub(super) length: usize,
}

impl Dense<'_> {
    pub(super) fn check(&self) {
        let Self { from, to, window, .. } = *self;
        let of_window = window.of(from).map(|map| map.with_channels(to.channels));
        assert_eq!(Some(to), of_window, "a window that fits");
        assert_eq!(self.kernel.len(), to.channels * from.channels * window.taps(), "weights");
        assert_eq!(self.values.len(), from.len(), "values");
        assert_eq!(self.norm.scale.len(), padded_width(from.channels), "a norm");
    }

    /// Columns of a line, with the zeros around.
    pub(super) fn columns(&self) -> usize {
        let Self { from, to, window, .. } = self;
        let reach = window.dilation[1] * (window.kernel[1] - 1) + 1;
        ((to.width - 1) * window.stride[1] + reach).max(window.before[1] + from.width)
    }

    /// Floats of a line.
    pub(super) fn line(&self) -> usize {
        self.columns() * self.from.channels
    }

    /// Lines that a result sees, with those between them.
    pub(super) fn span(&self) -> usize {
        self.window.dilation[0] * (self.window.kernel[0] - 1) + 1
    }

    /// Lines of results that are made at once.
    pub(super) fn at_once(&self) -> usize {
        let held = LINES / self.line().max(1);
        held.saturating_sub(self.span()) / self.window.stride[0] + 1
    }

    /// Lines of which the gradient is made at once.
    pub(super) fn at_once_back(&self) -> usize {
        let [least, most] = BACK;
        (2 * LINES / self.line().max(1)).clamp(least, most)
    }

    /// Floats of the lines that the results see which are made at once, and of a panel behind them.
    pub(super) fn held(&self) -> usize {
        ((self.at_once() - 1) * self.window.stride[0] + self.span()) * self.line() + WIDE
    }

    pub(super) fn runs(&self) -> Runs {
        let Window { kernel: [height, width], dilation, .. } = self.window;
        let channels = self.from.channels;
        let in_run = if dilation[1] == 1 { width } else { 1 };
        let (mut taps, mut offsets) = (Vec::new(), Vec::new());
        for ky in 0..height {
            for kx in (0..width).step_by(in_run) {
                taps.push([ky, kx]);
                offsets.push(ky * dilation[0] * self.line() + kx * dilation[1] * channels);
            }
        }
        Runs { taps, offsets, length: in_run * channels }
    }

    /// The kernel as `[outputs][runs][values of a run]`.
    pub(super) fn by_runs(&self, runs: &Runs) -> Vec<f32> {
        let (channels, taps) = (self.from.channels, self.window.taps());
        let mut all = Vec::with_capacity(self.kernel.len());
        for own in self.kernel.chunks_exact(channels * taps) {
            for run in 0..runs.offsets.len() {
                all.extend((0..runs.length).map(|place| own[runs.weight(self, run, place)]));
            }
        }
        all
    }

    /// Which line of the map that is which is counted with the zeros before it; none, where it is of zeros.
    fn inside(&self, row: usize) -> Option<usize> {
        row.checked_sub(self.window.before[0]).filter(|row| *row < self.from.height)
    }

    /// Normalised values of a line of an image, which is counted with the zeros before the map.
    #[inline(always)]
    pub(super) unsafe fn fill<S: Simd>(&self, norm: Norm, image: usize, row: usize, to: *mut f32) {
        unsafe {
            let channels = self.from.channels;
            let Some(row) = self.inside(row) else {
                to.write_bytes(0, self.line());
                return;
            };
            let before = self.window.before[1];
            let behind = before + self.from.width;
            to.write_bytes(0, before * channels);
            to.add(behind * channels).write_bytes(0, (self.columns() - behind) * channels);
            let pixel = (image * self.from.height + row) * self.from.width;
            let from = self.values.as_ptr().add(pixel * channels);
            let to = to.add(before * channels);
            let mut channel = 0;
            while channel < channels {
                let left = channels - channel;
                let norm = norm.of_channels::<S>(channel);
                for x in 0..self.from.width {
                    let place = x * channels + channel;
                    let value = S::load_some(from.add(place), left);
                    S::store_some(to.add(place), norm.read(value), left);
                }
                channel += S::N;
            }
        }
    }
}

impl Runs {
    /// Which weight of an output that of a place in a run is.
    pub(super) fn weight(&self, of: &Dense<'_>, run: usize, place: usize) -> usize {
        let [ky, kx] = self.taps[run];
        let (tap, channel) = (place / of.from.channels, place % of.from.channels);
        channel * of.window.taps() + ky * of.window.kernel[1] + kx + tap
    }

    /// The line of each run, counted from the first that a result sees.
    pub(super) fn lines(&self, of: &Dense<'_>) -> Vec<usize> {
        self.taps.iter().map(|[ky, _]| ky * of.window.dilation[0]).collect()
    }

    /// From the first value of its line that a result sees to the first of each run.
    pub(super) fn columns(&self, of: &Dense<'_>) -> Vec<usize> {
        let step = of.window.dilation[1] * of.from.channels;
        self.taps.iter().map(|[_, kx]| kx * step).collect()
    }

    /// Values of all runs of an output.
    pub(super) fn values(&self) -> usize {
        self.offsets.len() * self.length
    }

    /// A kernel of so many outputs as one of all values that they see.
    pub(super) fn kernel<'k>(&self, values: &'k [f32], outputs: usize) -> Kernel<'k> {
        Kernel { values, inputs: self.values(), outputs, groups: 1 }
    }
}
