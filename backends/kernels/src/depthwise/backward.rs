//! The gradient of a depthwise convolution: of what it reads, its taps, and the expansion before it.

use super::layer::{Depthwise, LoadedSource, MOST_TAPS, Normalise, Source, TILE, load};
use crate::norm::{Gradient, Incoming, Norm};
use crate::pointwise::add_wide;
use crate::shape::{Band, Bands, Destination, Map, Window};
use crate::simd::{Level, Simd};
use crate::tiles::{
    Finish, Job, NARROW, Panel, Rows, Tile, Tiles, WIDE, Write, at, padded_width, panels,
};
use crate::work::{Partials, Shared, Work, with_scratch};

/// Pixels that are worked on at once.
const PIXELS: usize = 512;
/// Of these so many at once in products: what belongs to them stays in the fastest cache.
const CHUNK: usize = 96;
/// Taps whose gradients are computed side by side.
const TAPS: usize = 5;

/// The gradient of a depthwise convolution to be computed.
pub(crate) struct Backward<'a> {
    of: Depthwise<'a>,
    incoming: Incoming<'a>,
    taps: Vec<f32>,
    /// The kernel of the expansion, by outputs and by inputs.
    forth: Vec<f32>,
    back: Vec<f32>,
    bands: Bands,
    reach: Reach,
    /// Rows that are worked on at once.
    at_once: usize,
    sums: Partials<f64>,
    matrices: Partials<f32>,
    by_input: Shared,
    /// Whether the gradient is added to what is there; that of maps which are expanded always is.
    adds: bool,
}

/// What comes of it, but for the gradient of the input.
pub(crate) struct Gradients {
    /// Sums of the gradient of the values, with how far they are from the mean, and as it is.
    pub(crate) norm: [Vec<f64>; 2],
    /// Of the kernel.
    pub(crate) kernel: Vec<f32>,
    /// Of the kernel of the expansion, the moments of its result aside; none without one.
    pub(crate) expansion: Vec<f32>,
}

impl<'a> Backward<'a> {
    pub(crate) fn new(of: Depthwise<'a>, incoming: Incoming<'a>, to: Destination) -> Self {
        of.check();
        let Destination { bands, values: by_input, adds, .. } = to;
        let Depthwise { from, to, window, .. } = of;
        assert!([incoming.values.len(), incoming.direct.len()] == [to.len(); 2], "results");
        let width = padded_width(to.channels);
        let [forth, back] = match of.source {
            Source::Stored(_) => [Vec::new(), Vec::new()],
            Source::Expanded { kernel, .. } => [kernel.by_outputs(), kernel.by_inputs()],
        };
        let sums = Partials::new(bands.len(), 2 * width);
        let matrices = Partials::new(bands.len(), (window.taps() + of.source.inputs()) * width);
        let at_once = (PIXELS / from.width).clamp(1, from.height);
        let (taps, reach) = (of.taps(), Reach::of(window, from, to));
        Self {
            of,
            incoming,
            taps,
            forth,
            back,
            bands,
            reach,
            at_once,
            sums,
            matrices,
            by_input,
            adds,
        }
    }

    /// What comes of it, once all tasks have run.
    pub(crate) fn gradients(&self) -> Gradients {
        let (taps, channels) = (self.of.window.taps(), self.of.to.channels);
        let width = padded_width(channels);
        let sums = self.sums.total();
        let (scale, shift) = sums.split_at(width);
        let total = self.matrices.total();
        let mut kernel = vec![0.0; channels * taps];
        for (tap, row) in total.chunks_exact(width).take(taps).enumerate() {
            for (to, value) in kernel[tap..].iter_mut().step_by(taps).zip(row) {
                *to = *value;
            }
        }
        let mut expansion = Vec::new();
        if let Source::Expanded { kernel, .. } = self.of.source {
            for output in 0..channels {
                let (row, first) = kernel.row(output);
                let own = total[(taps + first) * width + output..].iter().step_by(width);
                expansion.extend(own.take(row.len()));
            }
        }
        let norm = [scale[..channels].to_vec(), shift[..channels].to_vec()];
        Gradients { norm, kernel, expansion }
    }

    fn band(&self, level: Level, task: usize, band: Band) {
        let Depthwise { from, to, window, .. } = self.of;
        let rows =
            (self.at_once + window.dilation[0] * (window.kernel[0] - 1)) / window.stride[0] + 2;
        let pixels = self.at_once * from.width;
        let floats = (rows * self.reach.columns + 3 * pixels + 2) * WIDE;
        with_scratch(floats, |scratch| {
            let job = BackwardJob {
                source: self.of.source.loaded(),
                forth: self.forth.as_ptr(),
                back: self.back.as_ptr(),
                norm: self.of.norm.place(band.image),
                of: self.incoming.place(band.image),
                taps: self.taps.as_ptr(),
                from,
                to,
                window,
                reach: self.reach,
                image: band.image,
                rows: band.rows,
                at_once: self.at_once,
                // SAFETY: the parts of the scratch memory follow each other; rows of sums for each task, whose
                // pixels are its own.
                raw: scratch,
                normal: unsafe { scratch.add(pixels * WIDE) },
                by_raw: unsafe { scratch.add(2 * pixels * WIDE) },
                own: unsafe { scratch.add(3 * pixels * WIDE) },
                results: unsafe { scratch.add((3 * pixels + 2) * WIDE) },
                sums: unsafe { self.sums.row(task) },
                matrices: unsafe { self.matrices.row(task) },
                width: padded_width(to.channels),
                by_input: unsafe { self.by_input.at(0) },
                adds: self.adds,
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

/// How columns of results lie beside those of the values that they are made of.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// Columns before the first result that a value looks at.
    before: usize,
    /// Columns of results in the scratch memory, with those before and behind.
    columns: usize,
}

impl Reach {
    fn of(window: Window, from: Map, to: Map) -> Self {
        let [[_, before], [_, stride], [_, dilation], [_, kernel]] =
            [window.before, window.stride, window.dilation, window.kernel];
        let first = (dilation * (kernel - 1)).saturating_sub(before).div_ceil(stride);
        let last = (from.width - 1 + before) / stride;
        Self { before: first, columns: first + (last + 1).max(to.width) }
    }
}

struct BackwardJob {
    source: LoadedSource,
    forth: *const f32,
    back: *const f32,
    norm: Norm,
    of: Gradient,
    taps: *const f32,
    from: Map,
    to: Map,
    window: Window,
    reach: Reach,
    image: usize,
    /// Rows of values.
    rows: [usize; 2],
    /// How many of them at once.
    at_once: usize,
    /// Values, `[pixels][panel]`.
    raw: *mut f32,
    /// The same as they are loaded.
    normal: *mut f32,
    /// The gradient of the values.
    by_raw: *mut f32,
    /// The gradient of results, rows of `reach.columns` pixels.
    results: *mut f32,
    /// Sums of a panel in some rows, for the gradients of scale and shift.
    own: *mut f32,
    sums: *mut f64,
    /// `[taps + inputs][width]`.
    matrices: *mut f32,
    width: usize,
    by_input: *mut f32,
    adds: bool,
}

/// Values of a row whose columns see the same taps: each so many columns from one on.
#[derive(Clone, Copy)]
struct Columns {
    first: usize,
    step: usize,
    count: usize,
}

/// A tap that values of a row see.
#[derive(Clone, Copy)]
struct Seen {
    /// The result that the first column sees by it.
    result: *const f32,
    /// Its number.
    tap: usize,
}

impl Job for BackwardJob {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [mut row, end] = self.rows;
            while row < end {
                let count = self.at_once.min(end - row);
                for panel in panels(self.to.channels) {
                    let first = self.load_results::<S>(panel, row, count);
                    self.load_values::<S>(panel, row, count);
                    self.own.write_bytes(0, 2 * WIDE);
                    for i in 0..count {
                        // As in the forward pass, by distances that are known when it is compiled.
                        match (panel.width, self.window.stride[1]) {
                            (WIDE, 1) => self.row::<S, WIDE, 1>(panel, row, i, first),
                            (WIDE, _) => self.row::<S, WIDE, 0>(panel, row, i, first),
                            (_, 1) => self.row::<S, NARROW, 1>(panel, row, i, first),
                            (_, _) => self.row::<S, NARROW, 0>(panel, row, i, first),
                        }
                    }
                    add_wide(self.sums.add(panel.first), self.own, panel.width);
                    let shifts = self.sums.add(self.width + panel.first);
                    add_wide(shifts, self.own.add(WIDE), panel.width);
                    self.give::<S>(panel, row, count);
                }
                row += count;
            }
        }
    }
}

impl BackwardJob {
    /// Loads the results that these rows of values are part of; returns the first row of them.
    #[inline(always)]
    unsafe fn load_results<S: Tiles>(&self, panel: Panel, row: usize, count: usize) -> usize {
        unsafe {
            let [above, stride] = [self.window.before[0], self.window.stride[0]];
            let span = self.window.dilation[0] * (self.window.kernel[0] - 1);
            let first = (row + above).saturating_sub(span).div_ceil(stride);
            let last = ((row + count - 1 + above) / stride).min(self.to.height - 1);
            let width = panel.width;
            for y in first..=last {
                let to = self.results.add((y - first) * self.reach.columns * width);
                let behind = self.reach.before + self.to.width;
                to.write_bytes(0, self.reach.before * width);
                to.add(behind * width).write_bytes(0, (self.reach.columns - behind) * width);
                let to = to.add(self.reach.before * width);
                let pixel = (self.image * self.to.height + y) * self.to.width;
                let channels = self.to.channels;
                let pixels = (pixel * channels, channels, self.to.width);
                self.of.rows::<S>(pixels, (panel.first, width), (to, width));
            }
            first
        }
    }

    #[inline(always)]
    unsafe fn load_values<S: Tiles>(&self, panel: Panel, row: usize, count: usize) {
        unsafe {
            let from = self.from;
            let pixel = (self.image * from.height + row) * from.width;
            let count = count * from.width;
            let to = Normalise {
                to: self.normal,
                width: panel.width,
                norm: self.norm,
                channel: panel.first,
            };
            let mut finish = Both { raw: self.raw, to };
            match self.source {
                LoadedSource::Stored(values) => {
                    let first = values.add(pixel * from.channels + panel.first);
                    load::<S, _>(Rows { first, step: from.channels, count }, panel, &mut finish);
                }
                LoadedSource::Expanded { map, inputs } => {
                    let rows = Rows { first: map.add(pixel * inputs), step: inputs, count };
                    let kernel = self.forth.add(inputs * panel.first);
                    panel.product::<S, _>(rows, inputs, kernel, &mut finish);
                }
            }
        }
    }

    /// The gradient of a row of values, which is the `i`th here; results begin with row `first`. `STRIDE` is 0 where it is not 1.
    #[inline(always)]
    unsafe fn row<S: Tiles, const WIDTH: usize, const STRIDE: usize>(
        &self,
        panel: Panel,
        row: usize,
        i: usize,
        first: usize,
    ) {
        unsafe {
            let [above, before] = self.window.before;
            let [rows, stride] = self.window.stride;
            let stride = if STRIDE == 0 { stride } else { STRIDE };
            let place = i * self.from.width * WIDTH;
            let mut seen = [Seen { result: self.results, tap: 0 }; MOST_TAPS];
            for residue in 0..stride.min(self.from.width) {
                let columns = Columns {
                    first: residue,
                    step: stride,
                    count: (self.from.width - residue).div_ceil(stride),
                };
                let mut count = 0;
                for ky in 0..self.window.kernel[0] {
                    let Some(reached) = (row + i + above).checked_sub(ky * self.window.dilation[0])
                    else {
                        continue;
                    };
                    if !reached.is_multiple_of(rows) || reached / rows >= self.to.height {
                        continue;
                    }
                    let from =
                        self.results.add((reached / rows - first) * self.reach.columns * WIDTH);
                    for kx in 0..self.window.kernel[1] {
                        let shift = kx * self.window.dilation[1];
                        // Counted from the columns before the first result.
                        let Some(reached) =
                            (residue + before + self.reach.before * stride).checked_sub(shift)
                        else {
                            continue;
                        };
                        if !reached.is_multiple_of(stride) {
                            continue;
                        }
                        let tap = ky * self.window.kernel[1] + kx;
                        seen[count] = Seen { result: from.add(reached / stride * WIDTH), tap };
                        count += 1;
                    }
                }
                let mut column = 0;
                while column < panel.columns {
                    self.values::<S, WIDTH, STRIDE>(panel, column, place, columns, &seen[..count]);
                    self.weights::<S, WIDTH, STRIDE>(panel, column, place, columns, &seen[..count]);
                    column += S::N;
                }
            }
        }
    }

    /// The gradient of values, of a vector of channels.
    #[inline(always)]
    unsafe fn values<S: Tiles, const WIDTH: usize, const STRIDE: usize>(
        &self,
        panel: Panel,
        column: usize,
        place: usize,
        columns: Columns,
        seen: &[Seen],
    ) {
        unsafe {
            let mut sums = [S::splat(0.0); 2];
            let mut x = 0;
            while x + TILE <= columns.count {
                self.tile::<S, TILE, WIDTH, STRIDE>(
                    panel,
                    column,
                    place,
                    (columns, x),
                    seen,
                    &mut sums,
                );
                x += TILE;
            }
            while x < columns.count {
                self.tile::<S, 1, WIDTH, STRIDE>(
                    panel,
                    column,
                    place,
                    (columns, x),
                    seen,
                    &mut sums,
                );
                x += 1;
            }
            let (scale, shift) = (self.own.add(column), self.own.add(WIDE + column));
            S::store(scale, S::add(S::load(scale), sums[0]));
            S::store(shift, S::add(S::load(shift), sums[1]));
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Tiles, const T: usize, const WIDTH: usize, const STRIDE: usize>(
        &self,
        panel: Panel,
        column: usize,
        place: usize,
        (columns, x): (Columns, usize),
        seen: &[Seen],
        sums: &mut [S::V; 2],
    ) {
        unsafe {
            let taps = self.taps.add(panel.first + column);
            let mut results = [S::splat(0.0); T];
            for Seen { result, tap } in seen {
                let from = result.add(x * WIDTH + column);
                let weight = S::load(taps.add(tap * self.width));
                for (i, result) in results.iter_mut().enumerate() {
                    *result = S::fma(S::load(from.add(i * WIDTH)), weight, *result);
                }
            }
            let norm = self.norm.of_channels::<S>(panel.first + column);
            let step = if STRIDE == 0 { columns.step } else { STRIDE };
            for (i, result) in results.into_iter().enumerate() {
                let pixel = columns.first + (x + i) * step;
                let place = place + pixel * WIDTH + column;
                let value = S::load(self.raw.add(place));
                let g = norm.gradient(norm.linear(value), result);
                sums[0] = S::fma(g, norm.centred(value), sums[0]);
                sums[1] = S::add(sums[1], g);
                S::store(self.by_raw.add(place), S::mul(g, norm.scale));
            }
        }
    }

    /// The gradient of taps, of a vector of channels.
    #[inline(always)]
    unsafe fn weights<S: Tiles, const WIDTH: usize, const STRIDE: usize>(
        &self,
        panel: Panel,
        column: usize,
        place: usize,
        columns: Columns,
        seen: &[Seen],
    ) {
        unsafe {
            let mut rest = seen;
            while let Some((some, others)) = rest.split_at_checked(TAPS) {
                self.taps::<S, TAPS, WIDTH, STRIDE>(panel, column, place, columns, some);
                rest = others;
            }
            match rest.len() {
                0 => {}
                1 => self.taps::<S, 1, WIDTH, STRIDE>(panel, column, place, columns, rest),
                2 => self.taps::<S, 2, WIDTH, STRIDE>(panel, column, place, columns, rest),
                3 => self.taps::<S, 3, WIDTH, STRIDE>(panel, column, place, columns, rest),
                _ => self.taps::<S, 4, WIDTH, STRIDE>(panel, column, place, columns, rest),
            }
        }
    }

    #[inline(always)]
    unsafe fn taps<S: Tiles, const T: usize, const WIDTH: usize, const STRIDE: usize>(
        &self,
        panel: Panel,
        column: usize,
        place: usize,
        columns: Columns,
        seen: &[Seen],
    ) {
        unsafe {
            let step = if STRIDE == 0 { columns.step } else { STRIDE };
            let mut from = [self.results.cast_const(); T];
            for (from, seen) in from.iter_mut().zip(seen) {
                *from = seen.result.add(column);
            }
            let mut sums = [S::splat(0.0); T];
            let mut value = self.normal.add(place + columns.first * WIDTH + column).cast_const();
            for x in 0..columns.count {
                let y = S::load(value);
                value = value.add(step * WIDTH);
                for (sum, from) in sums.iter_mut().zip(from) {
                    *sum = S::fma(S::load(from.add(x * WIDTH)), y, *sum);
                }
            }
            for (sum, seen) in sums.into_iter().zip(seen) {
                let to = self.matrices.add(seen.tap * self.width + panel.first + column);
                S::store(to, S::add(S::load(to), sum));
            }
        }
    }

    /// Hands the gradient of these rows of values on.
    #[inline(always)]
    unsafe fn give<S: Tiles>(&self, panel: Panel, row: usize, count: usize) {
        unsafe {
            let from = self.from;
            let pixel = (self.image * from.height + row) * from.width;
            let rows = Rows { first: self.by_raw, step: panel.width, count: count * from.width };
            match self.source {
                LoadedSource::Stored(_) => {
                    let mut finish = Write {
                        to: self.by_input.add(pixel * from.channels + panel.first),
                        step: from.channels,
                        columns: panel.columns,
                        adds: self.adds,
                    };
                    load::<S, _>(rows, Panel { columns: panel.width, ..panel }, &mut finish);
                }
                LoadedSource::Expanded { map, inputs } => {
                    let mut place = 0;
                    while place < rows.count {
                        let count = CHUNK.min(rows.count - place);
                        self.contract::<S>(
                            panel,
                            (map, inputs),
                            pixel + place,
                            Rows { first: rows.first.add(place * rows.step), count, ..rows },
                        );
                        place += count;
                    }
                }
            }
        }
    }

    /// Takes the gradient of expanded values at pixels from one on to the map and to the kernel.
    #[inline(always)]
    unsafe fn contract<S: Tiles>(
        &self,
        panel: Panel,
        (map, inputs): (*const f32, usize),
        pixel: usize,
        rows: Rows,
    ) {
        unsafe {
            let maps = Rows { first: map.add(pixel * inputs), step: inputs, ..rows };
            let sums = self.matrices.add(self.window.taps() * self.width + panel.first);
            panel.outer::<S>(maps, inputs, rows, sums, self.width);
            for to in panels(inputs) {
                let kernel = self.back.add(self.to.channels * to.first + panel.first * to.width);
                let mut finish = Write {
                    to: self.by_input.add(pixel * inputs + to.first),
                    step: inputs,
                    columns: to.columns,
                    adds: true,
                };
                to.product::<S, _>(rows, panel.columns, kernel, &mut finish);
            }
        }
    }
}

/// Writes values, and them as they are loaded.
struct Both {
    raw: *mut f32,
    to: Normalise,
}

impl<S: Simd> Finish<S> for Both {
    #[inline(always)]
    unsafe fn take<const R: usize, const V: usize>(
        &mut self,
        [row, column]: [usize; 2],
        tile: Tile<S, R, V>,
        count: usize,
    ) {
        unsafe {
            for (i, own) in tile.iter().enumerate() {
                if i < count {
                    let to = self.raw.add((row + i) * self.to.width + column);
                    for (j, v) in own.iter().enumerate() {
                        S::store(to.add(j * S::N), *v);
                    }
                }
            }
            Finish::<S>::take(&mut self.to, [row, column], tile, count);
        }
    }
}
