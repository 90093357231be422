//! 1x1 convolutions.
//!
//! A convolution reads values that are normalised as they are loaded, writes its raw result once, and gathers the moments
//! of that in the same pass. Its gradient reads both raw tensors once more and writes one.

use crate::shape::{Clamp, Moments, Norm, Raw};
use crate::simd::{Job, Simd, at};
use crate::tiles::{Finish, Panel, Rows, Tiles, padded, panels};
use crate::work::{Partials, Processor, Shared, TASKS, stretches, with_scratch};

/// Rows that are worked on at once: what belongs to them stays in the cache.
const ROWS: usize = 96;

/// A kernel `[outputs][inputs / groups]`.
#[derive(Debug, Clone, Copy)]
pub struct Kernel<'a> {
    /// Row-major.
    pub values: &'a [f32],
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Groups of channels.
    pub groups: usize,
}

impl Kernel<'_> {
    /// The weight from an input to an output; 0 where they are of different groups.
    #[inline]
    fn weight(&self, output: usize, input: usize) -> f32 {
        let (of_inputs, of_outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        if input / of_inputs != output / of_outputs {
            return 0.0;
        }
        self.values[output * of_inputs + input % of_inputs]
    }

    /// `[inputs][width]` for each panel of outputs.
    pub(crate) fn by_outputs(&self) -> Vec<f32> {
        pack(self.outputs, self.inputs, |output, input| self.weight(output, input))
    }

    /// `[outputs][width]` for each panel of inputs.
    pub(crate) fn by_inputs(&self) -> Vec<f32> {
        pack(self.inputs, self.outputs, |input, output| self.weight(output, input))
    }

    /// `[outputs][inputs / groups]` of what `at` says for an output and an input.
    pub(crate) fn gathered(&self, at: impl Fn(usize, usize) -> f64) -> Vec<f32> {
        let (of_inputs, of_outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let row = |output: usize| {
            let first = output / of_outputs.max(1) * of_inputs;
            (first..first + of_inputs).map(move |input| (output, input))
        };
        (0..self.outputs).flat_map(row).map(|(output, input)| at(output, input) as f32).collect()
    }
}

/// `[inner][width]` for each panel of columns.
fn pack(columns: usize, inner: usize, at: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut packed = Vec::new();
    for Panel { first, columns, width } in panels(columns) {
        for k in 0..inner {
            packed.extend((first..first + columns).map(|column| at(column, k)));
            packed.resize(packed.len() + width - columns, 0.0);
        }
    }
    packed
}

/// The values with zeros behind, as panels are padded.
pub(crate) fn with_padding(values: &[f32]) -> Vec<f32> {
    let mut all = values.to_vec();
    all.resize(padded_width(values.len()), 0.0);
    all
}

/// The width of all panels of so many columns together.
pub(crate) fn padded_width(columns: usize) -> usize {
    panels(columns).last().map_or(0, |panel| panel.first + panel.width)
}

/// The raw result `[rows][outputs]` for rows of `inputs` floats, and its moments.
#[must_use]
pub fn forward(
    processor: Processor<'_>,
    input: &[f32],
    norm: Norm<'_>,
    kernel: Kernel<'_>,
) -> (Vec<f32>, Moments) {
    let rows = input.len() / kernel.inputs.max(1);
    let mut out = vec![0.0; rows * kernel.outputs];
    let moments = forward_into(processor, input, norm, kernel, &mut out);
    (out, moments)
}

/// As [`forward`], into memory that is there.
pub fn forward_into(
    processor: Processor<'_>,
    input: &[f32],
    norm: Norm<'_>,
    kernel: Kernel<'_>,
    out: &mut [f32],
) -> Moments {
    let Kernel { inputs, outputs, .. } = kernel;
    let rows = input.len() / inputs.max(1);
    assert_eq!(input.len(), rows * inputs, "rows of inputs");
    assert_eq!(out.len(), rows * outputs, "rows of outputs");
    let packed = kernel.by_outputs();
    let (scale, shift) = (with_padding(norm.scale), with_padding(norm.shift));
    let (step, width) = (padded(inputs), padded_width(outputs));
    let stretches = stretches(rows, ROWS, TASKS);
    let mut partials = Partials::new(stretches.len(), 2 * width);
    let (sums, to) = (partials.shared(), Shared::new(out));
    processor.pool.run(stretches.len(), &|task| {
        with_scratch(ROWS * step + 2 * width, |scratch| {
            let job = Forward {
                input: input.as_ptr(),
                norm: Loaded { scale: scale.as_ptr(), shift: shift.as_ptr(), clamp: norm.clamp },
                packed: packed.as_ptr(),
                inputs,
                outputs,
                rows: stretches[task],
                scratch,
                // SAFETY: a row of sums for each task; all rows of the result are some task's.
                sums: unsafe { sums.at(task * 2 * width) },
                to: unsafe { to.at(0) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared above.
            unsafe { at(processor.level, job) };
        });
    });
    let total = partials.total();
    let (sums, squares) = total.split_at(width);
    Moments::of_sums(&sums[..outputs], &squares[..outputs], rows)
}

/// A norm whose scale and shift are padded.
#[derive(Clone, Copy)]
pub(crate) struct Loaded {
    pub(crate) scale: *const f32,
    pub(crate) shift: *const f32,
    pub(crate) clamp: Clamp,
}

impl Loaded {
    /// What a vector of values of channels from `channel` on is before it is clamped.
    #[inline(always)]
    pub(crate) unsafe fn linear<S: Simd>(self, channel: usize, x: S::V) -> S::V {
        unsafe {
            S::fma(x, S::load(self.scale.add(channel)), S::load(self.shift.add(channel)))
        }
    }

    /// The bounds.
    #[inline(always)]
    pub(crate) unsafe fn bounds<S: Simd>(self) -> [S::V; 2] {
        unsafe { [S::splat(self.clamp.least), S::splat(self.clamp.most)] }
    }
}

struct Forward {
    input: *const f32,
    norm: Loaded,
    packed: *const f32,
    inputs: usize,
    outputs: usize,
    rows: [usize; 2],
    scratch: *mut f32,
    sums: *mut f32,
    to: *mut f32,
}

impl Job for Forward {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let (step, width) = (padded(self.inputs), padded_width(self.outputs));
            let own = self.scratch.add(ROWS * step);
            let mut row = from;
            while row < to {
                let count = ROWS.min(to - row);
                normalise::<S>(
                    Rows { first: self.input.add(row * self.inputs), step: self.inputs, count },
                    self.norm,
                    self.inputs,
                    (self.scratch, step),
                );
                own.write_bytes(0, 2 * width);
                let left = Rows { first: self.scratch, step, count };
                let mut right = self.packed;
                for panel in panels(self.outputs) {
                    let mut finish = Gather {
                        to: self.to.add(row * self.outputs + panel.first),
                        step: self.outputs,
                        columns: panel.columns,
                        sums: own.add(panel.first),
                        squares: own.add(width + panel.first),
                    };
                    panel.product::<S, _>(left, self.inputs, right, &mut finish);
                    right = right.add(self.inputs * panel.width);
                }
                add_to::<S>(self.sums, own, 2 * width);
                row += count;
            }
        }
    }
}

/// Rows as they are loaded, to rows of `to.1` floats.
#[inline(always)]
unsafe fn normalise<S: Simd>(from: Rows, norm: Loaded, channels: usize, to: (*mut f32, usize)) {
    unsafe {
        let [least, most] = norm.bounds::<S>();
        for row in 0..from.count {
            let (from, to) = (from.first.add(row * from.step), to.0.add(row * to.1));
            let mut channel = 0;
            while channel < channels {
                let x = S::load_some(from.add(channel), channels - channel);
                let x = norm.linear::<S>(channel, x);
                S::store(to.add(channel), S::clamp(x, least, most));
                channel += S::N;
            }
        }
    }
}

/// `sums += values`, for a multiple of 16.
#[inline(always)]
pub(crate) unsafe fn add_to<S: Simd>(sums: *mut f32, values: *const f32, count: usize) {
    unsafe {
        let mut i = 0;
        while i < count {
            S::store(sums.add(i), S::add(S::load(sums.add(i)), S::load(values.add(i))));
            i += S::N;
        }
    }
}

/// Writes a product, and sums it and its squares.
struct Gather {
    to: *mut f32,
    step: usize,
    columns: usize,
    sums: *mut f32,
    squares: *mut f32,
}

impl<S: Simd> Finish<S> for Gather {
    #[inline(always)]
    unsafe fn take(&mut self, row: usize, column: usize, v: S::V) {
        unsafe {
            let left = self.columns.saturating_sub(column);
            S::store_some(self.to.add(row * self.step + column), v, left);
            let (sum, square) = (self.sums.add(column), self.squares.add(column));
            S::store(sum, S::add(S::load(sum), v));
            S::store(square, S::fma(v, v, S::load(square)));
        }
    }
}

/// What the gradient of a 1x1 convolution is with respect to all that it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Of the values `[rows][inputs]` before the norm, their moments aside.
    pub input: Vec<f32>,
    /// Of the scale of each input.
    pub scale: Vec<f32>,
    /// Of the shift of each input.
    pub shift: Vec<f32>,
    /// Of the kernel.
    pub kernel: Vec<f32>,
}

/// The gradient for one of the raw result.
#[must_use]
pub fn backward(
    processor: Processor<'_>,
    input: &[f32],
    norm: Norm<'_>,
    kernel: Kernel<'_>,
    of: Raw<'_>,
) -> Gradient {
    let mut by_input = vec![0.0; input.len()];
    let [scale, shift, kernel] = backward_into(processor, input, norm, kernel, of, &mut by_input);
    Gradient { input: by_input, scale, shift, kernel }
}

/// As [`backward`]: the gradient of the values into memory that is there; returns those of scale, shift and kernel.
pub fn backward_into(
    processor: Processor<'_>,
    input: &[f32],
    norm: Norm<'_>,
    kernel: Kernel<'_>,
    of: Raw<'_>,
    by_input: &mut [f32],
) -> [Vec<f32>; 3] {
    let Kernel { inputs, outputs, .. } = kernel;
    let rows = input.len() / inputs.max(1);
    assert_eq!(input.len(), rows * inputs, "rows of inputs");
    assert_eq!(by_input.len(), input.len(), "a gradient for each input");
    assert!([of.values.len(), of.direct.len()] == [rows * outputs; 2], "rows of outputs");
    let packed = kernel.by_inputs();
    let (scale, shift) = (with_padding(norm.scale), with_padding(norm.shift));
    let (constant, slope) = (with_padding(of.constant), with_padding(of.slope));
    let (step, width) = (padded(outputs), padded_width(inputs));
    let stretches = stretches(rows, ROWS, TASKS);
    let each = (outputs + 2) * width;
    let mut partials = Partials::new(stretches.len(), each);
    let (sums, to) = (partials.shared(), Shared::new(by_input));
    processor.pool.run(stretches.len(), &|task| {
        with_scratch(ROWS * (step + crate::tiles::WIDE), |scratch| {
            let job = Backward {
                input: input.as_ptr(),
                norm: Loaded { scale: scale.as_ptr(), shift: shift.as_ptr(), clamp: norm.clamp },
                of: LoadedRaw {
                    values: of.values.as_ptr(),
                    direct: of.direct.as_ptr(),
                    constant: constant.as_ptr(),
                    slope: slope.as_ptr(),
                },
                packed: packed.as_ptr(),
                inputs,
                outputs,
                rows: stretches[task],
                scratch,
                // SAFETY: as in `forward_into`.
                sums: unsafe { sums.at(task * each) },
                to: unsafe { to.at(0) },
            };
            // SAFETY: as in `forward_into`.
            unsafe { at(processor.level, job) };
        });
    });
    let total = partials.total();
    let by_kernel = kernel.gathered(|output, input| total[(output + 2) * width + input]);
    let row = |row: usize| total[row * width..][..inputs].iter().map(|&sum| sum as f32).collect();
    [row(0), row(1), by_kernel]
}

/// A gradient whose constants and slopes are padded.
#[derive(Clone, Copy)]
pub(crate) struct LoadedRaw {
    pub(crate) values: *const f32,
    pub(crate) direct: *const f32,
    pub(crate) constant: *const f32,
    pub(crate) slope: *const f32,
}

impl LoadedRaw {
    /// A vector of the gradient at an element, of channels from `channel` on, of which `left` are there.
    #[inline(always)]
    pub(crate) unsafe fn load<S: Simd>(self, element: usize, channel: usize, left: usize) -> S::V {
        unsafe {
            let value = S::load_some(self.values.add(element), left);
            let direct = S::load_some(self.direct.add(element), left);
            let slope = S::load(self.slope.add(channel));
            S::add(S::fma(slope, value, S::load(self.constant.add(channel))), direct)
        }
    }
}

struct Backward {
    input: *const f32,
    norm: Loaded,
    of: LoadedRaw,
    packed: *const f32,
    inputs: usize,
    outputs: usize,
    rows: [usize; 2],
    scratch: *mut f32,
    sums: *mut f32,
    to: *mut f32,
}

impl Job for Backward {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            let (step, width) = (padded(self.outputs), padded_width(self.inputs));
            let read = self.scratch.add(ROWS * step);
            let mut row = from;
            while row < to {
                let count = ROWS.min(to - row);
                for i in 0..count {
                    let mut channel = 0;
                    while channel < self.outputs {
                        let element = (row + i) * self.outputs + channel;
                        let g = self.of.load::<S>(element, channel, self.outputs - channel);
                        S::store(self.scratch.add(i * step + channel), g);
                        channel += S::N;
                    }
                }
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
                        sums: self.sums.add(panel.first),
                        shifts: self.sums.add(width + panel.first),
                    };
                    panel.product::<S, _>(left, self.outputs, right, &mut finish);
                    right = right.add(self.outputs * panel.width);
                    let values = Rows { first: read, step: panel.width, count };
                    let sums = self.sums.add(2 * width + panel.first);
                    panel.outer::<S>(left, self.outputs, values, sums, width);
                }
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
    norm: Loaded,
    channel: usize,
    /// Where the normalised values go, in rows of `width`.
    read: *mut f32,
    width: usize,
    sums: *mut f32,
    shifts: *mut f32,
}

impl<S: Simd> Finish<S> for Through {
    #[inline(always)]
    unsafe fn take(&mut self, row: usize, column: usize, v: S::V) {
        unsafe {
            let left = self.columns.saturating_sub(column);
            let place = row * self.step + column;
            let x = S::load_some(self.input.add(place), left);
            let [least, most] = self.norm.bounds::<S>();
            let y = self.norm.linear::<S>(self.channel + column, x);
            S::store(self.read.add(row * self.width + column), S::clamp(y, least, most));
            let g = S::inside(y, least, most, v);
            let (sum, shift) = (self.sums.add(column), self.shifts.add(column));
            S::store(sum, S::fma(g, x, S::load(sum)));
            S::store(shift, S::add(S::load(shift), g));
            let scale = S::load(self.norm.scale.add(self.channel + column));
            S::store_some(self.to.add(place), S::mul(g, scale), left);
        }
    }
}
