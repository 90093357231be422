//! The cross-entropy of maps of logits that are enlarged. The logits of a pixel are made where they are needed, and their gradient
//! goes at once to what they are made of: neither is written, though there are many times as many of them as of the logits.

use crate::memory::Buffer;
use crate::shape::{Band, Bands, Map};
use crate::simd::{Simd, exp};
use crate::tiles::{Job, Tiles, at};
use crate::work::{Processor, TASKS, with_scratch};

/// In the place of logits of classes that there are not: as good as none.
const NONE: f32 = -1e30;
/// The least number whose exponential is told from 0.
const LEAST: f32 = -87.0;
/// Pixels whose sums of exponentials are multiplied before their logarithm is taken.
const TOGETHER: u32 = 16;

/// Maps of logits, enlarged bilinearly as PyTorch's `interpolate` does it.
#[derive(Debug, Clone, Copy)]
pub struct Enlarged<'a> {
    /// `[images, height, width, classes]`.
    pub logits: &'a [f32],
    /// Their sizes.
    pub map: Map,
    /// Height and width of what they become.
    pub to: [usize; 2],
    /// Whether pixels in the corners stay there; otherwise their outer edges do.
    pub align_corners: bool,
}

/// What the labels of pixels come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossEntropy {
    /// The sum of `-log softmax(logits)[label]` over all that are labelled.
    pub sum: f64,
    /// How many are.
    pub labelled: u64,
}

/// The cross-entropy of enlarged logits by the labels `[images, height, width]` of their pixels, of which those that are `ignored`
/// do not count. `gradient`, as large as the logits, becomes the gradient of the sum with respect to them.
///
/// # Errors
/// A label that is no class.
pub fn cross_entropy(
    processor: Processor<'_>,
    enlarged: &Enlarged<'_>,
    labels: &[i64],
    ignored: i64,
    gradient: &mut [f32],
) -> Result<CrossEntropy, i64> {
    let Enlarged { logits, map, to: [height, width], align_corners } = *enlarged;
    assert_eq!(logits.len(), map.len(), "logits");
    assert_eq!(gradient.len(), map.len(), "a gradient");
    assert_eq!(labels.len(), map.images * height * width, "labels");
    let classes = map.channels;
    let is_wrong = |label: &i64| *label != ignored && !(0..classes as i64).contains(label);
    if let Some(wrong) = labels.iter().copied().find(is_wrong) {
        return Err(wrong);
    }
    let rows = taps(map.height, height, align_corners);
    let columns = taps(map.width, width, align_corners);
    let bands = Bands::new(Map { height, width, ..map }, TASKS);
    let bands: Vec<Band> = (0..bands.len()).flat_map(|task| bands.of(task)).collect();
    let pass = Pass { enlarged, labels, ignored, rows: &rows, columns: &columns };
    let mut parts = Vec::new();
    processor.pool.noted(c"nasc: cross-entropy", &mut || {
        parts = processor.map(bands.len(), |number| pass.part(processor, bands[number]));
    });
    gradient.fill(0.0);
    let mut all = CrossEntropy { sum: 0.0, labelled: 0 };
    for Part { first, gradient: own, found } in &parts {
        for (sum, value) in gradient[*first..].iter_mut().zip(own.iter()) {
            *sum += value;
        }
        all.sum += found.sum;
        all.labelled += found.labelled;
    }
    Ok(all)
}

/// Between which two rows or columns one of the result lies.
#[derive(Debug, Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    /// The share of `high`.
    share: f32,
}

/// The taps of each of `to` rows or columns that are made of `from`.
fn taps(from: usize, to: usize, align_corners: bool) -> Vec<Tap> {
    let last = from.saturating_sub(1);
    let place = |at: usize| match align_corners {
        true if to > 1 => at as f32 * (last as f32 / (to - 1) as f32),
        true => 0.0,
        false => ((at as f32 + 0.5) * (from as f32 / to as f32) - 0.5).max(0.0),
    };
    let tap = |at| {
        let low = (place(at) as usize).min(last);
        Tap { low, high: (low + 1).min(last), share: (place(at) - low as f32).clamp(0.0, 1.0) }
    };
    (0..to).map(tap).collect()
}

/// What all bands have in common.
#[derive(Clone, Copy)]
struct Pass<'a> {
    enlarged: &'a Enlarged<'a>,
    labels: &'a [i64],
    ignored: i64,
    rows: &'a [Tap],
    columns: &'a [Tap],
}

/// What a band of the result comes to.
struct Part {
    /// Where its gradient begins in that of all.
    first: usize,
    gradient: Buffer,
    found: CrossEntropy,
}

impl Pass<'_> {
    fn part(self, processor: Processor<'_>, band: Band) -> Part {
        let Map { height, width, channels, .. } = self.enlarged.map;
        let [from, to] = band.rows;
        let lines = [self.rows[from].low, self.rows[to - 1].high + 1];
        let mut gradient = Buffer::new((lines[1] - lines[0]) * width * channels);
        gradient.fill(0.0);
        let mut found = CrossEntropy { sum: 0.0, labelled: 0 };
        // Two lines of logits and gradients, and a pixel, each padded to whole vectors.
        let padded = channels.next_multiple_of(MOST_LANES);
        with_scratch((2 * width + 1) * padded, |scratch| {
            let job = BandJob {
                pass: self,
                band,
                first: lines[0],
                padded,
                line: scratch,
                gradient: gradient.as_mut_ptr(),
                found: &mut found,
            };
            // SAFETY: the level is one that was detected, and sizes were compared before.
            unsafe { at(processor.level, job) };
        });
        Part { first: (band.image * height + lines[0]) * width * channels, gradient, found }
    }
}

/// The most floats of a vector.
const MOST_LANES: usize = 16;

struct BandJob<'a> {
    pass: Pass<'a>,
    band: Band,
    /// The first line of logits that the band is made of.
    first: usize,
    padded: usize,
    /// `[width][padded]` logits between two lines, then as many gradients, then a pixel.
    line: *mut f32,
    gradient: *mut f32,
    found: &'a mut CrossEntropy,
}

impl Job for BandJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(mut self) {
        unsafe {
            let [from, to] = self.band.rows;
            self.gradients().write_bytes(0, self.width() * self.padded);
            let mut row = from;
            while row < to {
                let tap = self.pass.rows[row];
                self.blend::<S>(tap);
                self.row::<S>(row);
                self.spread::<S>(tap);
                row += 1;
            }
        }
    }
}

impl BandJob<'_> {
    fn width(&self) -> usize {
        self.pass.enlarged.map.width
    }

    #[inline(always)]
    unsafe fn gradients(&self) -> *mut f32 {
        unsafe { self.line.add(self.width() * self.padded) }
    }

    /// Makes the line of logits of a row of the result.
    #[inline(always)]
    unsafe fn blend<S: Simd>(&self, tap: Tap) {
        unsafe {
            let Map { height, width, channels, .. } = self.pass.enlarged.map;
            let logits = self.pass.enlarged.logits.as_ptr();
            let image = self.band.image * height;
            let [low, high] =
                [tap.low, tap.high].map(|line| logits.add((image + line) * width * channels));
            let share = S::splat(tap.share);
            let mut column = 0;
            while column < width {
                let to = self.line.add(column * self.padded);
                let mut channel = 0;
                while channel < channels {
                    let (place, left) = (column * channels + channel, channels - channel);
                    let a = S::load_some(low.add(place), left);
                    let b = S::load_some(high.add(place), left);
                    S::store(to.add(channel), S::fma(S::sub(b, a), share, a));
                    channel += S::N;
                }
                channel = channels;
                while channel < self.padded {
                    *to.add(channel) = NONE;
                    channel += 1;
                }
                column += 1;
            }
        }
    }

    /// Adds what the pixels of a row come to, and their gradients to that of the line.
    #[inline(always)]
    unsafe fn row<S: Simd>(&mut self, row: usize) {
        unsafe {
            let Pass { enlarged, labels, ignored, columns, .. } = self.pass;
            let [height, width] = enlarged.to;
            let labels = labels.as_ptr().add((self.band.image * height + row) * width);
            let (mut sum, mut product, mut together, mut labelled) = (0.0, 1.0, 0, 0);
            let mut column = 0;
            while column < width {
                let label = *labels.add(column);
                if label != ignored {
                    let (below, total) = self.pixel::<S>(columns[column], label as usize);
                    sum += f64::from(below);
                    product *= f64::from(total);
                    together += 1;
                    labelled += 1;
                    if together == TOGETHER {
                        sum += product.ln();
                        (product, together) = (1.0, 0);
                    }
                }
                column += 1;
            }
            self.found.sum += sum + product.ln();
            self.found.labelled += labelled;
        }
    }

    /// Adds the gradient of a pixel to that of the line. Returns how far the logit of its label is below the greatest one, and the
    /// sum of all exponentials, that of the greatest one being 1.
    #[inline(always)]
    unsafe fn pixel<S: Simd>(&self, tap: Tap, label: usize) -> (f32, f32) {
        unsafe {
            let padded = self.padded;
            let [low, high] = [tap.low, tap.high].map(|column| column * padded);
            let [a, b] = [self.line.add(low), self.line.add(high)];
            let own = self.line.add(2 * self.width() * padded);
            let share = S::splat(tap.share);
            let mut greatest = S::splat(NONE);
            let mut channel = 0;
            while channel < padded {
                let x = S::load(a.add(channel));
                let x = S::fma(S::sub(S::load(b.add(channel)), x), share, x);
                S::store(own.add(channel), x);
                greatest = S::max(greatest, x);
                channel += S::N;
            }
            let greatest = S::greatest(greatest);
            let below = greatest - *own.add(label);
            let mut sum = S::splat(0.0);
            channel = 0;
            while channel < padded {
                let x = S::sub(S::load(own.add(channel)), S::splat(greatest));
                let x = exp::<S>(S::clamp(x, S::splat(LEAST), S::splat(0.0)));
                S::store(own.add(channel), x);
                sum = S::add(sum, x);
                channel += S::N;
            }
            let total = S::sum(sum);
            let of_high = S::splat(tap.share / total);
            let of_low = S::splat((1.0 - tap.share) / total);
            let [to_low, to_high] = [low, high].map(|place| self.gradients().add(place));
            channel = 0;
            while channel < padded {
                let x = S::load(own.add(channel));
                let to = to_low.add(channel);
                S::store(to, S::fma(x, of_low, S::load(to)));
                let to = to_high.add(channel);
                S::store(to, S::fma(x, of_high, S::load(to)));
                channel += S::N;
            }
            *to_low.add(label) -= 1.0 - tap.share;
            *to_high.add(label) -= tap.share;
            (below, total)
        }
    }

    /// Moves the gradient of the line to those of the two that it was made of.
    #[inline(always)]
    unsafe fn spread<S: Simd>(&self, tap: Tap) {
        unsafe {
            let Map { width, channels, .. } = self.pass.enlarged.map;
            let [low, high] = [tap.low, tap.high]
                .map(|line| self.gradient.add((line - self.first) * width * channels));
            let (of_low, of_high) = (S::splat(1.0 - tap.share), S::splat(tap.share));
            let mut column = 0;
            while column < width {
                let from = self.gradients().add(column * self.padded);
                let mut channel = 0;
                while channel < channels {
                    let (place, left) = (column * channels + channel, channels - channel);
                    let g = S::load(from.add(channel));
                    let to = low.add(place);
                    S::store_some(to, S::fma(g, of_low, S::load_some(to, left)), left);
                    let to = high.add(place);
                    S::store_some(to, S::fma(g, of_high, S::load_some(to, left)), left);
                    channel += S::N;
                }
                channel = 0;
                while channel < self.padded {
                    S::store(from.add(channel), S::splat(0.0));
                    channel += S::N;
                }
                column += 1;
            }
        }
    }
}
