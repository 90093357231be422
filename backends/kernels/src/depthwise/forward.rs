//! A depthwise convolution: band by band, of rows that are normalised as they are loaded.

use super::layer::{Depthwise, LoadedSource, Normalise, Source, TILE, load};
use crate::moments::{Gathered, Moments};
use crate::norm::Norm;
use crate::shape::{Map, Window};
use crate::simd::Level;
use crate::tiles::{Job, NARROW, Panel, Rows, Tiles, WIDE, at, padded_width, panels};
use crate::work::{Partials, Shared, TASKS, Work, with_scratch};

/// Floats of a band of normalised rows.
const BAND: usize = 32 * 1024;

/// A depthwise convolution to be computed.
pub(crate) struct Forward<'a> {
    of: Depthwise<'a>,
    taps: Vec<f32>,
    expansion: Vec<f32>,
    panels: Vec<Panel>,
    /// Bands of each image and panel.
    bands: usize,
    /// Columns of a row in the scratch memory.
    columns: usize,
    /// Rows there.
    held: usize,
    sums: Partials<f64>,
    out: Shared,
}

impl<'a> Forward<'a> {
    pub(crate) fn new(of: Depthwise<'a>, out: &mut [f32]) -> Self {
        of.check();
        let Depthwise { from, to, window, .. } = of;
        assert_eq!(out.len(), to.len(), "results");
        let panels: Vec<Panel> = panels(to.channels).collect();
        let bands = TASKS.div_ceil((from.images * panels.len()).max(1));
        let bands = bands.min(to.height.div_ceil(4));
        let columns =
            (to.width - 1) * window.stride[1] + window.dilation[1] * (window.kernel[1] - 1) + 1;
        let columns = columns.max(window.before[1] + from.width);
        let span = window.dilation[0] * (window.kernel[0] - 1) + 1;
        let held = (BAND / (columns * WIDE)).max(span + window.stride[0] - 1);
        let sums = Partials::new(from.images * panels.len() * bands, 2 * WIDE);
        let expansion = match of.source {
            Source::Stored(_) => Vec::new(),
            Source::Expanded { kernel, .. } => kernel.by_outputs(),
        };
        let (taps, out) = (of.taps(), Shared::new(out));
        Self { of, taps, expansion, panels, bands, columns, held, sums, out }
    }

    /// The moments of the result, once all tasks have run.
    pub(crate) fn moments(&self) -> Moments {
        let mut all = Moments { mean: Vec::new(), variance: Vec::new() };
        let tasks: Vec<&[f64]> = self.sums.rows().collect();
        for (place, panel) in self.panels.iter().enumerate() {
            let own = (0..tasks.len()).filter(|task| self.place(*task).1 == place);
            let parts = own.map(|task| {
                let [from, to] = self.lines(task);
                let (mean, square) = tasks[task].split_at(WIDE);
                ((to - from) * self.of.to.width, [mean, square])
            });
            let Moments { mean, variance } = Moments::of_parts(panel.columns, parts);
            all.mean.extend(mean);
            all.variance.extend(variance);
        }
        all
    }

    /// The image and the panel of a task.
    fn place(&self, task: usize) -> (usize, usize) {
        let rest = task / self.bands;
        (rest / self.panels.len(), rest % self.panels.len())
    }

    /// The lines of the result that a task makes.
    fn lines(&self, task: usize) -> [usize; 2] {
        let (height, band) = (self.of.to.height, task % self.bands);
        [height * band / self.bands, height * (band + 1) / self.bands]
    }
}

impl Work for Forward<'_> {
    fn tasks(&self) -> usize {
        self.of.from.images * self.panels.len() * self.bands
    }

    fn run(&self, level: Level, task: usize) {
        let row = self.held * self.columns * WIDE;
        with_scratch(row + 2 * WIDE, |scratch| {
            let (image, panel) = self.place(task);
            let panel = self.panels[panel];
            let Depthwise { from, to, window, .. } = self.of;
            let job = ForwardJob {
                source: self.of.source.loaded(),
                // SAFETY: rows of a panel of the packed kernels.
                expansion: unsafe {
                    self.expansion.as_ptr().add(self.of.source.inputs() * panel.first)
                },
                norm: self.of.norm.place(image),
                taps: self.taps.as_ptr(),
                taps_step: padded_width(to.channels),
                from,
                to,
                window,
                panel,
                image,
                rows: self.lines(task),
                columns: self.columns,
                held: self.held,
                scratch,
                // SAFETY: behind the rows; a row of sums for each task; the pixels and channels of a task are
                // its own.
                sums: unsafe { scratch.add(row) },
                total: unsafe { self.sums.row(task) },
                out: unsafe { self.out.at(0) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared in `new`.
            unsafe { at(level, job) };
        });
    }
}

struct ForwardJob {
    source: LoadedSource,
    expansion: *const f32,
    norm: Norm,
    taps: *const f32,
    taps_step: usize,
    from: Map,
    to: Map,
    window: Window,
    panel: Panel,
    image: usize,
    /// Rows of the result.
    rows: [usize; 2],
    /// Columns of a row in the scratch memory.
    columns: usize,
    /// Rows there.
    held: usize,
    scratch: *mut f32,
    /// Sums of a row.
    sums: *mut f32,
    /// The moments of all rows.
    total: *mut f64,
    out: *mut f32,
}

impl Job for ForwardJob {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let Self { window, held, .. } = self;
            let step = self.columns * self.panel.width;
            let stride = window.stride[0];
            let span = window.dilation[0] * (window.kernel[0] - 1) + 1;
            let at_once = (held - span) / stride + 1;
            let [mut row, end] = self.rows;
            // The first row that is held, with the zeros before the map, and the first behind them.
            let (mut first, mut filled) = (row * stride, row * stride);
            while row < end {
                let count = at_once.min(end - row);
                let begin = row * stride;
                if begin > first {
                    let kept = filled.saturating_sub(begin);
                    let from = self.scratch.add((filled - kept - first) * step);
                    std::ptr::copy(from, self.scratch, kept * step);
                    (first, filled) = (begin, begin + kept);
                }
                let needed = begin + (count - 1) * stride + span;
                while filled < needed {
                    self.fill::<S>(filled, self.scratch.add((filled - first) * step));
                    filled += 1;
                }
                for i in 0..count {
                    let rows = self.scratch.add(i * stride * step);
                    // Distances that are known when it is compiled make the innermost loop twice as fast.
                    match (self.panel.width, window.stride[1]) {
                        (WIDE, 1) => self.convolve::<S, WIDE, 1>(row + i, rows),
                        (WIDE, 2) => self.convolve::<S, WIDE, 2>(row + i, rows),
                        (WIDE, _) => self.convolve::<S, WIDE, 0>(row + i, rows),
                        (_, 1) => self.convolve::<S, NARROW, 1>(row + i, rows),
                        (_, 2) => self.convolve::<S, NARROW, 2>(row + i, rows),
                        (_, _) => self.convolve::<S, NARROW, 0>(row + i, rows),
                    }
                    let made = (self.image * self.to.height + row + i) * self.to.width;
                    let made = Rows {
                        first: self.out.add(made * self.to.channels + self.panel.first),
                        step: self.to.channels,
                        count: self.to.width,
                    };
                    let before = (row + i - self.rows[0]) * self.to.width;
                    let gathered = Gathered { to: self.total, width: WIDE };
                    gathered.put::<S>(made, self.panel.columns, before, self.sums);
                }
                row += count;
            }
        }
    }
}

impl ForwardJob {
    /// A row of normalised values, counted with the zeros before the map.
    #[inline(always)]
    unsafe fn fill<S: Tiles>(&self, row: usize, to: *mut f32) {
        unsafe {
            let (from, width) = (self.from, self.panel.width);
            let [above, left] = self.window.before;
            if row < above || row >= above + from.height {
                to.write_bytes(0, self.columns * width);
                return;
            }
            to.write_bytes(0, left * width);
            let behind = left + from.width;
            to.add(behind * width).write_bytes(0, (self.columns - behind) * width);
            let pixel = (self.image * from.height + row - above) * from.width;
            let mut finish = Normalise {
                to: to.add(left * width),
                width,
                norm: self.norm,
                channel: self.panel.first,
            };
            match self.source {
                LoadedSource::Stored(values) => {
                    let first = values.add(pixel * from.channels + self.panel.first);
                    let rows = Rows { first, step: from.channels, count: from.width };
                    load::<S, _>(rows, self.panel, &mut finish);
                }
                LoadedSource::Expanded { map, inputs } => {
                    let first = map.add(pixel * inputs);
                    let rows = Rows { first, step: inputs, count: from.width };
                    self.panel.product::<S, _>(rows, inputs, self.expansion, &mut finish);
                }
            }
        }
    }

    /// A row of the result; `rows` are those that its window begins with. `STRIDE` is 0 where it is none of those above.
    #[inline(always)]
    unsafe fn convolve<S: Tiles, const WIDTH: usize, const STRIDE: usize>(
        &self,
        row: usize,
        rows: *const f32,
    ) {
        unsafe {
            let to = self.to;
            let element =
                (self.image * to.height + row) * to.width * to.channels + self.panel.first;
            let mut column = 0;
            while column < self.panel.columns {
                let left = self.panel.columns - column;
                let mut sum = S::splat(0.0);
                let out = self.out.add(element + column);
                let rows = rows.add(column);
                let taps = self.taps.add(self.panel.first + column);
                let mut x = 0;
                while x + TILE <= to.width {
                    self.tile::<S, TILE, WIDTH, STRIDE>(x, rows, taps, out, left, &mut sum);
                    x += TILE;
                }
                while x < to.width {
                    self.tile::<S, 1, WIDTH, STRIDE>(x, rows, taps, out, left, &mut sum);
                    x += 1;
                }
                S::store(self.sums.add(column), sum);
                column += S::N;
            }
        }
    }

    /// `T` results of a vector of channels.
    #[inline(always)]
    unsafe fn tile<S: Tiles, const T: usize, const WIDTH: usize, const STRIDE: usize>(
        &self,
        x: usize,
        rows: *const f32,
        taps: *const f32,
        out: *mut f32,
        left: usize,
        sum: &mut S::V,
    ) {
        unsafe {
            let window = self.window;
            let step = if STRIDE == 0 { window.stride[1] } else { STRIDE } * WIDTH;
            let mut results = [S::splat(0.0); T];
            let mut tap = taps;
            for ky in 0..window.kernel[0] {
                let row = rows.add(ky * window.dilation[0] * self.columns * WIDTH + x * step);
                for kx in 0..window.kernel[1] {
                    let from = row.add(kx * window.dilation[1] * WIDTH);
                    let weight = S::load(tap);
                    tap = tap.add(self.taps_step);
                    for (i, result) in results.iter_mut().enumerate() {
                        *result = S::fma(S::load(from.add(i * step)), weight, *result);
                    }
                }
            }
            for (i, result) in results.into_iter().enumerate() {
                S::store_some(out.add((x + i) * self.to.channels), result, left);
                *sum = S::add(*sum, result);
            }
        }
    }
}
