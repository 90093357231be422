//! The gradient: of the kernel and of what is read.

use super::layer::{Dense, Runs};
use crate::kernel::Kernel;
use crate::norm::{Gradient, Incoming, Norm};
use crate::pointwise::add_wide;
use crate::shape::{Band, Bands, Destination};
use crate::simd::Level;
use crate::tiles::{Job, Rows, Tiles, WIDE, Write, at, padded, padded_width, panels};
use crate::work::{Partials, Shared, Work, with_scratch};

/// The gradient of a convolution to be computed.
pub(crate) struct Backward<'a> {
    of: Dense<'a>,
    incoming: Incoming<'a>,
    runs: Runs,
    /// Of each run the kernel, by inputs.
    back: Vec<Vec<f32>>,
    bands: Bands,
    sums: Partials<f64>,
    matrices: Partials<f32>,
    by_input: Shared,
    /// Whether the gradient is added to what is there.
    adds: bool,
    /// Whether that of what is read is wanted.
    is_wanted: bool,
}

impl<'a> Backward<'a> {
    pub(crate) fn new(of: Dense<'a>, incoming: Incoming<'a>, to: Destination) -> Self {
        of.check();
        let Destination { bands, values: by_input, adds, is_wanted } = to;
        assert!([incoming.values.len(), incoming.direct.len()] == [of.to.len(); 2], "results");
        let (runs, outputs) = (of.runs(), of.to.channels);
        let by_runs = of.by_runs(&runs);
        let run_of = |run: usize| {
            let rows = by_runs.chunks_exact(runs.values());
            let own = rows.flat_map(|row| &row[run * runs.length..][..runs.length]).copied();
            let values: Vec<f32> = own.collect();
            let kernel = Kernel { values: &values, inputs: runs.length, outputs, groups: 1 };
            kernel.by_inputs()
        };
        let back =
            if is_wanted { (0..runs.offsets.len()).map(run_of).collect() } else { Vec::new() };
        let sums = Partials::new(bands.len(), 2 * padded_width(of.from.channels));
        let width = runs.offsets.len() * padded_width(runs.length);
        let matrices = Partials::new(bands.len(), outputs * width);
        Self { of, incoming, runs, back, bands, sums, matrices, by_input, adds, is_wanted }
    }

    /// Sums of the gradient of the values, with how far they are from the mean and as it is, and the gradient of the kernel, once
    /// all tasks have run.
    pub(crate) fn gradients(&self) -> ([Vec<f64>; 2], Vec<f32>) {
        let (channels, outputs) = (self.of.from.channels, self.of.to.channels);
        let sums = self.sums.total();
        let (scale, shift) = sums.split_at(padded_width(channels));
        let width = padded_width(self.runs.length);
        let total = self.matrices.total();
        let mut by_kernel = vec![0.0; self.of.kernel.len()];
        let of_outputs = by_kernel.chunks_exact_mut(channels * self.of.window.taps());
        let rows = total.chunks_exact(self.runs.offsets.len() * width);
        for (own, row) in of_outputs.zip(rows).take(outputs) {
            for (run, row) in row.chunks_exact(width).enumerate() {
                for (place, value) in row[..self.runs.length].iter().enumerate() {
                    own[self.runs.weight(&self.of, run, place)] = *value;
                }
            }
        }
        ([scale[..channels].to_vec(), shift[..channels].to_vec()], by_kernel)
    }

    fn band(&self, level: Level, task: usize, band: Band) {
        let (line, sums) = (self.of.line(), 2 * padded_width(self.of.from.channels));
        let results = self.of.to.width * padded(self.of.to.channels);
        let held = self.of.held().max(self.of.at_once_back() * line + WIDE);
        with_scratch(held + results + sums, |scratch| {
            let job = BackwardJob {
                of: &self.of,
                norm: self.of.norm.place(band.image),
                incoming: self.incoming.place(band.image),
                runs: &self.runs,
                back: &self.back,
                band,
                lines: scratch,
                // SAFETY: the parts of the scratch memory follow each other; rows of sums for each task, whose lines are
                // its own.
                results: unsafe { scratch.add(held) },
                own: unsafe { scratch.add(held + results) },
                sums: unsafe { self.sums.row(task) },
                matrix: unsafe { self.matrices.row(task) },
                by_input: unsafe { self.by_input.at(0) },
                adds: self.adds,
                is_wanted: self.is_wanted,
            };
            // SAFETY: the level is one that was detected, and sizes were compared in `new`.
            unsafe { at(level, job) };
        });
    }
}

impl Work for Backward<'_> {
    fn tasks(&self) -> usize {
        self.bands.len()
    }

    fn run(&self, level: Level, task: usize) {
        for band in self.bands.of(task) {
            self.band(level, task, band);
        }
    }
}

struct BackwardJob<'a> {
    of: &'a Dense<'a>,
    norm: Norm,
    incoming: Gradient,
    runs: &'a Runs,
    back: &'a [Vec<f32>],
    /// Lines of values.
    band: Band,
    /// Lines of normalised values, and then of their gradients.
    lines: *mut f32,
    /// The gradient of a line of results.
    results: *mut f32,
    /// Sums of a line, for the gradients of scale and shift.
    own: *mut f32,
    sums: *mut f64,
    /// `[outputs][runs][values of a run]`, runs with what pads them.
    matrix: *mut f32,
    by_input: *mut f32,
    adds: bool,
    is_wanted: bool,
}

impl Job for BackwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            self.kernel::<S>();
            let [mut row, end] = self.band.rows;
            while self.is_wanted && row < end {
                let count = self.of.at_once_back().min(end - row);
                self.values::<S>(row, count);
                row += count;
            }
        }
    }
}

impl BackwardJob<'_> {
    /// The gradient of the kernel by the results whose windows begin in these lines, and of the last band by those behind, too.
    #[inline(always)]
    unsafe fn kernel<S: Tiles>(&self) {
        unsafe {
            let Dense { from, to, window, .. } = *self.of;
            let (line, stride) = (self.of.line(), window.stride[0]);
            let [begin, end] = self.band.rows;
            let mut row = begin.div_ceil(stride).min(to.height);
            let behind = if end == from.height { to.height } else { end.div_ceil(stride) };
            let behind = behind.min(to.height);
            let width = padded_width(self.runs.length);
            while row < behind {
                let count = self.of.at_once().min(behind - row);
                for i in 0..(count - 1) * stride + self.of.span() {
                    let to = self.lines.add(i * line);
                    self.of.fill::<S>(self.norm, self.band.image, row * stride + i, to);
                }
                for i in 0..count {
                    let left = self.load::<S>(row + i);
                    for (run, offset) in self.runs.offsets.iter().enumerate() {
                        for panel in panels(self.runs.length) {
                            let right = Rows {
                                first: self.lines.add(i * stride * line + offset + panel.first),
                                step: window.stride[1] * from.channels,
                                count: to.width,
                            };
                            let sum = self.matrix.add(run * width + panel.first);
                            let step = self.runs.offsets.len() * width;
                            panel.outer::<S>(left, to.channels, right, sum, step);
                        }
                    }
                }
                row += count;
            }
        }
    }

    /// The gradient of a line of results.
    #[inline(always)]
    unsafe fn load<S: Tiles>(&self, row: usize) -> Rows {
        unsafe {
            let to = self.of.to;
            let step = padded(to.channels);
            let pixel = (self.band.image * to.height + row) * to.width;
            let pixels = (pixel * to.channels, to.channels, to.width);
            self.incoming.rows::<S>(pixels, (0, to.channels), (self.results, step));
            Rows { first: self.results, step, count: to.width }
        }
    }

    /// The gradient of some lines of values.
    #[inline(always)]
    unsafe fn values<S: Tiles>(&self, first: usize, count: usize) {
        unsafe {
            let Dense { from, to, window, .. } = *self.of;
            let (line, channels) = (self.of.line(), from.channels);
            let [stride, step] = window.stride;
            self.lines.write_bytes(0, count * line);
            // Lines counted with the zeros before the map.
            let begin = first + window.before[0];
            let lowest = (begin + 1).saturating_sub(self.of.span()).div_ceil(stride);
            let highest = ((begin + count - 1) / stride).min(to.height - 1);
            let (lines, columns) = (self.runs.lines(self.of), self.runs.columns(self.of));
            for row in lowest..=highest {
                let mut loaded = None;
                for (run, back) in self.back.iter().enumerate() {
                    let seen = row * stride + lines[run];
                    if seen < begin || seen >= begin + count {
                        continue;
                    }
                    let left = match loaded {
                        Some(left) => left,
                        None => *loaded.insert(self.load::<S>(row)),
                    };
                    let line = self.lines.add((seen - begin) * line + columns[run]);
                    for panel in panels(self.runs.length) {
                        let mut finish = Write {
                            to: line.add(panel.first),
                            step: step * channels,
                            columns: panel.columns,
                            adds: true,
                        };
                        let right = back.as_ptr().add(to.channels * panel.first);
                        panel.product::<S, _>(left, to.channels, right, &mut finish);
                    }
                }
            }
            for i in 0..count {
                self.own.write_bytes(0, 2 * padded_width(channels));
                let line = self.lines.add(i * line + window.before[1] * channels);
                let pixel = (self.band.image * from.height + first + i) * from.width;
                self.through::<S>(pixel * channels, line);
                add_wide(self.sums, self.own, 2 * padded_width(channels));
            }
        }
    }

    /// Takes the gradient of a line of normalised values through the norm.
    #[inline(always)]
    unsafe fn through<S: Tiles>(&self, place: usize, line: *const f32) {
        unsafe {
            let channels = self.of.from.channels;
            let values = self.of.values.as_ptr().add(place);
            let (sums, shifts) = (self.own, self.own.add(padded_width(channels)));
            let mut channel = 0;
            while channel < channels {
                let left = channels - channel;
                let norm = self.norm.of_channels::<S>(channel);
                let (mut sum, mut shift) =
                    (S::load(sums.add(channel)), S::load(shifts.add(channel)));
                for x in 0..self.of.from.width {
                    let element = x * channels + channel;
                    let value = S::load_some(values.add(element), left);
                    let g = S::load_some(line.add(element), left);
                    let g = norm.gradient(norm.linear(value), g);
                    sum = S::fma(g, norm.centred(value), sum);
                    shift = S::add(shift, g);
                    let g = S::mul(g, norm.scale);
                    let to = self.by_input.add(place + element);
                    let g = if self.adds { S::add(g, S::load_some(to, left)) } else { g };
                    S::store_some(to, g, left);
                }
                S::store(sums.add(channel), sum);
                S::store(shifts.add(channel), shift);
                channel += S::N;
            }
        }
    }
}
