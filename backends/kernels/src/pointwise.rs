//! 1x1 convolutions.
//!
//! A convolution reads values that are normalised as they are loaded, writes its raw result once, and gathers the moments
//! of that in the same pass. Its gradient reads both raw tensors once more and writes one.

use crate::image_sums::ImageSums;
use crate::kernel::Kernel;
use crate::moments::{Gathered, Moments};
use crate::norm::{Gradient, Incoming, Loaded, Norm};
use crate::shape::{Band, Bands, Destination, Map};
use crate::simd::{Level, Simd};
use crate::tiles::{Finish, Job, Rows, Tile, Tiles, WIDE, at, padded, padded_width, panels};
use crate::work::{Partials, Shared, TASKS, Work, stretches, with_scratch};

/// Rows that are worked on at once: what belongs to them stays in the cache.
const ROWS: usize = 96;

/// A 1x1 convolution to be computed.
pub(crate) struct Forward<'a> {
    input: &'a [f32],
    norm: &'a Loaded,
    inputs: usize,
    outputs: usize,
    /// Rows in succession that are loaded in the same way.
    pixels: usize,
    packed: Vec<f32>,
    stretches: Vec<[usize; 2]>,
    sums: Partials<f64>,
    out: Shared,
}

impl<'a> Forward<'a> {
    /// Of maps, into rows of `out`.
    pub(crate) fn new(
        (input, map): (&'a [f32], Map),
        norm: &'a Loaded,
        kernel: Kernel<'_>,
        out: &mut [f32],
    ) -> Self {
        let Kernel { inputs, outputs, .. } = kernel;
        let rows = map.pixels();
        assert_eq!(input.len(), rows * inputs, "rows of inputs");
        let pixels = if norm.is_gated() { rows / map.images } else { rows };
        assert_eq!(out.len(), rows * outputs, "rows of outputs");
        let stretches = stretches(rows, ROWS, TASKS);
        let sums = Partials::new(stretches.len(), 2 * padded_width(outputs));
        let (packed, out) = (kernel.by_outputs(), Shared::new(out));
        Self { input, norm, inputs, outputs, pixels, packed, stretches, sums, out }
    }

    /// The moments of the result, once all tasks have run.
    pub(crate) fn moments(&self) -> Moments {
        let parts = self.stretches.iter().zip(self.sums.rows()).map(|([from, to], row)| {
            let (mean, square) = row.split_at(padded_width(self.outputs));
            (to - from, [mean, square])
        });
        Moments::of_parts(self.outputs, parts)
    }
}

impl Work for Forward<'_> {
    fn tasks(&self) -> usize {
        self.stretches.len()
    }

    fn run(&self, level: Level, task: usize) {
        let width = padded_width(self.outputs);
        with_scratch(ROWS * padded(self.inputs) + 2 * width, |scratch| {
            let job = ForwardJob {
                input: self.input.as_ptr(),
                norm: self.norm,
                packed: self.packed.as_ptr(),
                inputs: self.inputs,
                outputs: self.outputs,
                pixels: self.pixels,
                rows: self.stretches[task],
                scratch,
                // SAFETY: a row of sums for each task; all rows of the result are some task's.
                sums: unsafe { self.sums.row(task) },
                to: unsafe { self.out.at(0) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared in `new`.
            unsafe { at(level, job) };
        });
    }
}

struct ForwardJob<'a> {
    input: *const f32,
    norm: &'a Loaded,
    packed: *const f32,
    inputs: usize,
    outputs: usize,
    pixels: usize,
    rows: [usize; 2],
    scratch: *mut f32,
    sums: *mut f64,
    to: *mut f32,
}

impl Job for ForwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let (step, width) = (padded(self.inputs), padded_width(self.outputs));
            let own = self.scratch.add(ROWS * step);
            let mut row = from;
            while row < to {
                let image = row / self.pixels;
                let count = ROWS.min(to.min((image + 1) * self.pixels) - row);
                normalise::<S>(
                    Rows { first: self.input.add(row * self.inputs), step: self.inputs, count },
                    self.norm.place(image),
                    self.inputs,
                    (self.scratch, step),
                );
                own.write_bytes(0, width);
                let left = Rows { first: self.scratch, step, count };
                let mut right = self.packed;
                for panel in panels(self.outputs) {
                    let mut finish = Gather {
                        to: self.to.add(row * self.outputs + panel.first),
                        step: self.outputs,
                        columns: panel.columns,
                        sums: own.add(panel.first),
                    };
                    panel.product::<S, _>(left, self.inputs, right, &mut finish);
                    right = right.add(self.inputs * panel.width);
                }
                let made =
                    Rows { first: self.to.add(row * self.outputs), step: self.outputs, count };
                let gathered = Gathered { to: self.sums, width };
                gathered.put::<S>(made, self.outputs, row - from, own);
                row += count;
            }
        }
    }
}

/// Rows as they are loaded, to rows of `to.1` floats.
#[inline(always)]
unsafe fn normalise<S: Simd>(from: Rows, norm: Norm, channels: usize, to: (*mut f32, usize)) {
    unsafe {
        let mut channel = 0;
        while channel < channels {
            let norm = norm.of_channels::<S>(channel);
            let (mut place, mut to_place) = (from.first.add(channel), to.0.add(channel));
            for _ in 0..from.count {
                let x = S::load_some(place, channels - channel);
                S::store(to_place, norm.read(x));
                (place, to_place) = (place.add(from.step), to_place.add(to.1));
            }
            channel += S::N;
        }
    }
}

/// `sums += values`: of few values each, so that nothing is lost of many.
#[inline(always)]
pub(crate) unsafe fn add_wide(sums: *mut f64, values: *const f32, count: usize) {
    for i in 0..count {
        unsafe { *sums.add(i) += f64::from(*values.add(i)) };
    }
}

/// Writes a product, and sums it.
pub(crate) struct Gather {
    pub(crate) to: *mut f32,
    pub(crate) step: usize,
    /// Columns that there are.
    pub(crate) columns: usize,
    pub(crate) sums: *mut f32,
}

impl<S: Simd> Finish<S> for Gather {
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
                let mut to = self.to.add(row * self.step + column);
                let mut sum = S::load(self.sums.add(column));
                for (i, row) in tile.iter().enumerate() {
                    if i < count {
                        S::store_some(to, row[j], left);
                        sum = S::add(sum, row[j]);
                        to = to.add(self.step);
                    }
                }
                S::store(self.sums.add(column), sum);
            }
        }
    }
}

/// The gradient of a 1x1 convolution to be computed.
pub(crate) struct Backward<'a> {
    input: &'a [f32],
    norm: &'a Loaded,
    of: Incoming<'a>,
    kernel: Kernel<'a>,
    packed: Vec<f32>,
    bands: Bands,
    sums: ImageSums,
    matrices: Partials<f32>,
    by_input: Shared,
    /// Whether the gradient is added to what is there.
    adds: bool,
}

impl<'a> Backward<'a> {
    /// Of maps.
    pub(crate) fn new(
        (input, map): (&'a [f32], Map),
        norm: &'a Loaded,
        kernel: Kernel<'a>,
        of: Incoming<'a>,
        to: Destination,
    ) -> Self {
        let Kernel { inputs, outputs, .. } = kernel;
        assert_eq!(input.len(), map.pixels() * inputs, "rows of inputs");
        assert!([of.values.len(), of.direct.len()] == [map.pixels() * outputs; 2], "of outputs");
        let Destination { bands, values: by_input, adds, .. } = to;
        let width = padded_width(inputs);
        let sums = ImageSums::new(&bands, 2 * width);
        let matrices = Partials::new(bands.len(), outputs * width);
        let packed = kernel.by_inputs();
        Self { input, norm, of, kernel, packed, bands, sums, matrices, by_input, adds }
    }

    /// Sums of the gradient of the values, with how far they are from the mean and as it is, and the gradient of the kernel, once
    /// all tasks have run.
    pub(crate) fn gradients(&self) -> ([Vec<f64>; 2], Vec<f32>) {
        let Kernel { inputs, outputs, .. } = self.kernel;
        let width = padded_width(inputs);
        let sums = self.sums.total();
        let (scale, shift) = sums.split_at(width);
        let total = self.matrices.total();
        let mut by_kernel = Vec::with_capacity(self.kernel.values.len());
        for output in 0..outputs {
            let (row, first) = self.kernel.row(output);
            by_kernel.extend_from_slice(&total[output * width + first..][..row.len()]);
        }
        ([scale[..inputs].to_vec(), shift[..inputs].to_vec()], by_kernel)
    }

    /// The gradient of the gate, `[images][inputs]`, once all tasks have run; nothing where there is none.
    pub(crate) fn by_gate(&self) -> Vec<f32> {
        if !self.norm.is_gated() {
            return Vec::new();
        }
        // How far values are from the mean, which is 0, are the values.
        let of_images = self.sums.of_images();
        let own = of_images.iter().flat_map(|sums| sums.iter().take(self.kernel.inputs));
        own.map(|&sum| sum as f32).collect()
    }

    fn band(&self, level: Level, task: usize, band: Band) {
        let Kernel { inputs, outputs, .. } = self.kernel;
        let width = padded_width(inputs);
        with_scratch(ROWS * (padded(outputs) + WIDE) + 2 * width, |scratch| {
            let job = BackwardJob {
                input: self.input.as_ptr(),
                norm: self.norm.place(band.image),
                of: self.of.place(band.image),
                packed: self.packed.as_ptr(),
                inputs,
                outputs,
                rows: self.bands.pixels(band),
                scratch,
                adds: self.adds,
                // SAFETY: rows of sums for each task; its pixels are its own.
                sums: unsafe { self.sums.row(task, band.image) },
                matrix: unsafe { self.matrices.row(task) },
                to: unsafe { self.by_input.at(0) },
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

struct BackwardJob {
    input: *const f32,
    norm: Norm,
    of: Gradient,
    packed: *const f32,
    inputs: usize,
    outputs: usize,
    rows: [usize; 2],
    scratch: *mut f32,
    adds: bool,
    sums: *mut f64,
    matrix: *mut f32,
    to: *mut f32,
}

impl Job for BackwardJob {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let (step, width) = (padded(self.outputs), padded_width(self.inputs));
            let read = self.scratch.add(ROWS * step);
            let own = read.add(ROWS * WIDE);
            let mut row = from;
            while row < to {
                let count = ROWS.min(to - row);
                let pixels = (row * self.outputs, self.outputs, count);
                self.of.rows::<S>(pixels, (0, self.outputs), (self.scratch, step));
                own.write_bytes(0, 2 * width);
                let left = Rows { first: self.scratch, step, count };
                let mut right = self.packed;
                for panel in panels(self.inputs) {
                    let element = row * self.inputs + panel.first;
                    let mut finish = Through {
                        input: self.input.add(element),
                        to: self.to.add(element),
                        step: self.inputs,
                        columns: panel.columns,
                        norm: self.norm,
                        channel: panel.first,
                        read,
                        width: panel.width,
                        adds: self.adds,
                        sums: own.add(panel.first),
                        shifts: own.add(width + panel.first),
                    };
                    panel.product::<S, _>(left, self.outputs, right, &mut finish);
                    right = right.add(self.outputs * panel.width);
                    let values = Rows { first: read, step: panel.width, count };
                    let sums = self.matrix.add(panel.first);
                    panel.outer::<S>(left, self.outputs, values, sums, width);
                }
                add_wide(self.sums, own, 2 * width);
                row += count;
            }
        }
    }
}

/// Takes the gradient of normalised values through the norm.
struct Through {
    input: *const f32,
    to: *mut f32,
    step: usize,
    columns: usize,
    norm: Norm,
    channel: usize,
    /// Where the normalised values go, in rows of `width`.
    read: *mut f32,
    width: usize,
    adds: bool,
    sums: *mut f32,
    shifts: *mut f32,
}

impl<S: Simd> Finish<S> for Through {
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
                let norm = self.norm.of_channels::<S>(self.channel + column);
                let mut sum = S::load(self.sums.add(column));
                let mut shift = S::load(self.shifts.add(column));
                let mut place = row * self.step + column;
                let mut read = self.read.add(row * self.width + column);
                for (i, row) in tile.iter().enumerate() {
                    if i < count {
                        let x = S::load_some(self.input.add(place), left);
                        let y = norm.linear(x);
                        S::store(read, norm.of_linear(y));
                        let g = norm.gradient(y, row[j]);
                        sum = S::fma(g, norm.centred(x), sum);
                        shift = S::add(shift, g);
                        let g = S::mul(g, norm.scale);
                        let to = self.to.add(place);
                        let g = if self.adds { S::add(g, S::load_some(to, left)) } else { g };
                        S::store_some(to, g, left);
                        (place, read) = (place + self.step, read.add(self.width));
                    }
                }
                S::store(self.sums.add(column), sum);
                S::store(self.shifts.add(column), shift);
            }
        }
    }
}
