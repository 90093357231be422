//! The results.

use super::layer::{Dense, Runs};
use crate::moments::{Gathered, Moments};
use crate::norm::Norm;
use crate::pointwise::Gather;
use crate::shape::{Band, Bands};
use crate::simd::Level;
use crate::tiles::{Job, Rows, Tiles, at, padded_width, panels};
use crate::work::{Partials, Shared, TASKS, Work, with_scratch};

/// A convolution to be computed.
pub(crate) struct Forward<'a> {
    of: Dense<'a>,
    runs: Runs,
    packed: Vec<f32>,
    /// Lines of results.
    bands: Bands,
    sums: Partials<f64>,
    out: Shared,
}

impl<'a> Forward<'a> {
    pub(crate) fn new(of: Dense<'a>, out: &mut [f32]) -> Self {
        of.check();
        assert_eq!(out.len(), of.to.len(), "results");
        let runs = of.runs();
        let packed = runs.kernel(&of.by_runs(&runs), of.to.channels).by_outputs();
        let bands = Bands::new(of.to, TASKS);
        let sums = Partials::new(bands.len(), 2 * padded_width(of.to.channels));
        Self { of, runs, packed, bands, sums, out: Shared::new(out) }
    }

    /// The moments of the result, once all tasks have run.
    pub(crate) fn moments(&self) -> Moments {
        let parts = self.sums.rows().enumerate().map(|(task, row)| {
            let (mean, square) = row.split_at(padded_width(self.of.to.channels));
            let lines: usize = self.bands.of(task).map(|Band { rows: [a, b], .. }| b - a).sum();
            (lines * self.of.to.width, [mean, square])
        });
        Moments::of_parts(self.of.to.channels, parts)
    }
}

impl Work for Forward<'_> {
    fn tasks(&self) -> usize {
        self.bands.len()
    }

    fn run(&self, level: Level, task: usize) {
        let width = padded_width(self.of.to.channels);
        with_scratch(self.of.held() + 2 * width, |scratch| {
            let mut before = 0;
            for band in self.bands.of(task) {
                let job = ForwardJob {
                    of: &self.of,
                    norm: self.of.norm.place(band.image),
                    runs: &self.runs,
                    packed: self.packed.as_ptr(),
                    band,
                    before,
                    lines: scratch,
                    // SAFETY: behind the lines; a row of sums for each task; the lines of a task are its own.
                    own: unsafe { scratch.add(self.of.held()) },
                    sums: unsafe { self.sums.row(task) },
                    to: unsafe { self.out.at(0) },
                };
                // SAFETY: the level is one that was detected, and sizes were compared in `new`.
                unsafe { at(level, job) };
                let [from, to] = band.rows;
                before += (to - from) * self.of.to.width;
            }
        });
    }
}

struct ForwardJob<'a> {
    of: &'a Dense<'a>,
    norm: Norm,
    runs: &'a Runs,
    packed: *const f32,
    /// Lines of results.
    band: Band,
    /// Results that this task made before.
    before: usize,
    lines: *mut f32,
    /// Sums of a line.
    own: *mut f32,
    sums: *mut f64,
    to: *mut f32,
}

impl Job for ForwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let Dense { from, to, window, .. } = *self.of;
            let (line, span) = (self.of.line(), self.of.span());
            let stride = window.stride[0];
            let [mut row, end] = self.band.rows;
            let mut before = self.before;
            while row < end {
                let count = self.of.at_once().min(end - row);
                for i in 0..(count - 1) * stride + span {
                    let to = self.lines.add(i * line);
                    self.of.fill::<S>(self.norm, self.band.image, row * stride + i, to);
                }
                for i in 0..count {
                    let left = Rows {
                        first: self.lines.add(i * stride * line),
                        step: window.stride[1] * from.channels,
                        count: to.width,
                    };
                    let pixel = (self.band.image * to.height + row + i) * to.width;
                    let made = self.to.add(pixel * to.channels);
                    let width = padded_width(to.channels);
                    self.own.write_bytes(0, width);
                    let mut right = self.packed;
                    for panel in panels(to.channels) {
                        let mut finish = Gather {
                            to: made.add(panel.first),
                            step: to.channels,
                            columns: panel.columns,
                            sums: self.own.add(panel.first),
                        };
                        let runs = (self.runs.offsets.as_slice(), self.runs.length);
                        panel.product_of_runs::<S, _>(left, runs, right, &mut finish);
                        right = right.add(self.runs.values() * panel.width);
                    }
                    let made = Rows { first: made, step: to.channels, count: to.width };
                    let gathered = Gathered { to: self.sums, width };
                    gathered.put::<S>(made, to.channels, before, self.own);
                    before += to.width;
                }
                row += count;
            }
        }
    }
}
