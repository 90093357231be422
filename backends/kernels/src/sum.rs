//! Sums of normalised values: the mixture of candidates, a residual, an activation.

use crate::norm::Loaded;
use crate::pointwise::add_wide;
use crate::shape::{Band, Bands, Clamp, Map};
use crate::simd::Level;
use crate::tiles::{Job, Tiles, at, padded_width};
use crate::work::{Partials, Shared, Work, with_scratch};

/// Rows whose sums are of single precision.
const ROWS: usize = 96;

/// A value of a sum: `weight * (scale * x + shift)`.
#[derive(Clone, Copy)]
pub(crate) struct Term<'a> {
    /// `[pixels][channels]`.
    pub(crate) values: &'a [f32],
    /// Scale and shift; without bounds.
    pub(crate) norm: &'a Loaded,
    /// Of each image; 1 without.
    pub(crate) weight: Option<&'a [f32]>,
}

/// `clamp(rest + sum of terms)`: `out` holds the rest, if there is one, and then the sum.
pub(crate) struct Forward<'a> {
    map: Map,
    terms: &'a [Term<'a>],
    clamp: Clamp,
    has_rest: bool,
    bands: Bands,
    out: Shared,
}

impl<'a> Forward<'a> {
    pub(crate) fn new(
        map: Map,
        terms: &'a [Term<'a>],
        (clamp, has_rest): (Clamp, bool),
        bands: Bands,
        out: &mut [f32],
    ) -> Self {
        assert_eq!(out.len(), map.len(), "a sum");
        check(map, terms);
        Self { map, terms, clamp, has_rest, bands, out: Shared::new(out) }
    }
}

fn check(map: Map, terms: &[Term<'_>]) {
    for term in terms {
        assert_eq!(term.values.len(), map.len(), "values of a term");
        assert!(term.weight.is_none_or(|it| it.len() == map.images), "a weight for each image");
    }
}

impl Work for Forward<'_> {
    fn tasks(&self) -> usize {
        self.bands.len()
    }

    fn run(&self, level: Level, task: usize) {
        for band in self.bands.of(task) {
            let job = ForwardJob {
                terms: self.terms,
                channels: self.map.channels,
                image: band.image,
                rows: self.bands.pixels(band),
                clamp: self.clamp,
                has_rest: self.has_rest,
                // SAFETY: all rows are some task's.
                to: unsafe { self.out.at(0) },
            };
            // SAFETY: the level is one that was detected, and sizes were compared in `new`.
            unsafe { at(level, job) };
        }
    }
}

struct ForwardJob<'a> {
    terms: &'a [Term<'a>],
    channels: usize,
    image: usize,
    rows: [usize; 2],
    clamp: Clamp,
    has_rest: bool,
    to: *mut f32,
}

impl Job for ForwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let bounds = [S::splat(self.clamp.least), S::splat(self.clamp.most)];
            let [from, to] = self.rows;
            for row in from..to {
                let mut channel = 0;
                while channel < self.channels {
                    let left = self.channels - channel;
                    let place = row * self.channels + channel;
                    let mut sum = match self.has_rest {
                        true => S::load_some(self.to.add(place), left),
                        false => S::splat(0.0),
                    };
                    for term in self.terms {
                        let x = S::load_some(term.values.as_ptr().add(place), left);
                        let x = term.norm.place().linear::<S>(channel, x);
                        sum = match term.weight {
                            Some(weight) => S::fma(x, S::splat(weight[self.image]), sum),
                            None => S::add(sum, x),
                        };
                    }
                    S::store_some(self.to.add(place), S::clamp(sum, bounds[0], bounds[1]), left);
                    channel += S::N;
                }
            }
        }
    }
}

/// What the gradients of a sum are made of. The gradient of the sum becomes that of each term, before its weight, and of the
/// rest: 0 where the sum was clamped.
pub(crate) struct Backward<'a> {
    map: Map,
    terms: &'a [Term<'a>],
    /// The result, where it was clamped.
    clamped: Option<(Clamp, &'a [f32])>,
    bands: Bands,
    /// For each task and image, sums of the gradient, and of its products with how far the values of each term are from
    /// their mean.
    sums: Vec<(usize, Partials<f64>)>,
    by_sum: Shared,
}

/// What the gradients of a term are made of.
pub(crate) struct TermGradient {
    /// Sums of the gradient of its values with how far they are from the mean.
    pub(crate) scale: Vec<f64>,
    /// Sums of the gradient of its values.
    pub(crate) shift: Vec<f64>,
    /// The gradient of the weight of each image.
    pub(crate) weight: Vec<f32>,
}

impl<'a> Backward<'a> {
    pub(crate) fn new(
        map: Map,
        terms: &'a [Term<'a>],
        clamped: Option<(Clamp, &'a [f32])>,
        bands: Bands,
        by_sum: &mut [f32],
    ) -> Self {
        assert_eq!(by_sum.len(), map.len(), "a gradient");
        check(map, terms);
        assert!(clamped.is_none_or(|(_, sum)| sum.len() == map.len()), "a sum");
        let width = (terms.len() + 1) * padded_width(map.channels);
        let mut sums = Vec::new();
        for task in 0..bands.len() {
            let own: Vec<usize> = bands.of(task).map(|band| band.image).collect();
            let first = own.first().copied().unwrap_or_default();
            sums.push((first, Partials::new(own.len(), width)));
        }
        Self { map, terms, clamped, bands, sums, by_sum: Shared::new(by_sum) }
    }

    /// The gradients of the terms, once all tasks have run.
    pub(crate) fn gradients(&self) -> Vec<TermGradient> {
        let width = padded_width(self.map.channels);
        let mut of_image = vec![vec![0.0_f64; (self.terms.len() + 1) * width]; self.map.images];
        for (first, rows) in &self.sums {
            for (sums, row) in of_image[*first..].iter_mut().zip(rows.rows()) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        }
        let terms = self.terms.iter().enumerate();
        terms.map(|(i, term)| self.gradient(term, i, &of_image, width)).collect()
    }

    fn gradient(
        &self,
        term: &Term<'_>,
        i: usize,
        of_image: &[Vec<f64>],
        width: usize,
    ) -> TermGradient {
        let channels = self.map.channels;
        let Loaded { scale: own_scale, shift: own_shift, mean, .. } = term.norm;
        let (mut scale, mut shift) = (vec![0.0; channels], vec![0.0; channels]);
        let mut weight = Vec::with_capacity(of_image.len());
        for (image, sums) in of_image.iter().enumerate() {
            let own = term.weight.map_or(1.0, |weight| f64::from(weight[image]));
            let mut by_weight = 0.0;
            for channel in 0..channels {
                let (plain, product) = (sums[channel], sums[(i + 1) * width + channel]);
                scale[channel] += own * product;
                shift[channel] += own * plain;
                let scale = f64::from(own_scale[channel]);
                let at_mean = f64::from(own_shift[channel]) + scale * f64::from(mean[channel]);
                by_weight += scale * product + at_mean * plain;
            }
            weight.push(by_weight as f32);
        }
        TermGradient { scale, shift, weight }
    }

    fn band(&self, level: Level, task: usize, band: Band) {
        let width = (self.terms.len() + 1) * padded_width(self.map.channels);
        let (first, sums) = &self.sums[task];
        with_scratch(width, |scratch| {
            let job = BackwardJob {
                terms: self.terms,
                channels: self.map.channels,
                rows: self.bands.pixels(band),
                clamped: self.clamped.map(|(clamp, sum)| (clamp, sum.as_ptr())),
                own: scratch,
                // SAFETY: a row of sums for each image of a task; all rows are some task's.
                sums: unsafe { sums.row(band.image - first) },
                by_sum: unsafe { self.by_sum.at(0) },
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
    terms: &'a [Term<'a>],
    channels: usize,
    rows: [usize; 2],
    clamped: Option<(Clamp, *const f32)>,
    own: *mut f32,
    sums: *mut f64,
    by_sum: *mut f32,
}

impl Job for BackwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let width = padded_width(self.channels);
            let all = (self.terms.len() + 1) * width;
            let [mut row, to] = self.rows;
            while row < to {
                let end = to.min(row + ROWS);
                self.own.write_bytes(0, all);
                while row < end {
                    self.row::<S>(row, width);
                    row += 1;
                }
                add_wide(self.sums, self.own, all);
            }
        }
    }
}

impl BackwardJob<'_> {
    #[inline(always)]
    unsafe fn row<S: Tiles>(&self, row: usize, width: usize) {
        unsafe {
            let mut channel = 0;
            while channel < self.channels {
                let left = self.channels - channel;
                let place = row * self.channels + channel;
                let mut g = S::load_some(self.by_sum.add(place), left);
                if let Some((clamp, sum)) = self.clamped {
                    let y = S::load_some(sum.add(place), left);
                    g = S::inside(y, S::splat(clamp.least), S::splat(clamp.most), g);
                    S::store_some(self.by_sum.add(place), g, left);
                }
                let sum = self.own.add(channel);
                S::store(sum, S::add(S::load(sum), g));
                for (i, term) in self.terms.iter().enumerate() {
                    let x = S::load_some(term.values.as_ptr().add(place), left);
                    let sum = self.own.add((i + 1) * width + channel);
                    let centred = term.norm.place().centred::<S>(channel, x);
                    S::store(sum, S::fma(g, centred, S::load(sum)));
                }
                channel += S::N;
            }
        }
    }
}
