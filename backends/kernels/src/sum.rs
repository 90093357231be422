//! Sums of normalised values: the mixture of candidates, a residual, an activation.

use crate::activation::Activation;
use crate::image_sums::ImageSums;
use crate::norm::Loaded;
use crate::pointwise::add_wide;
use crate::shape::{Band, Bands, Map};
use crate::simd::Level;
use crate::tiles::{Job, Tiles, at, padded_width};
use crate::work::{Shared, Work, with_scratch};

/// Rows whose sums are of single precision.
const ROWS: usize = 96;

/// A value of a sum: `weight * (scale * x + shift)`.
#[derive(Clone, Copy)]
pub(crate) struct Term<'a> {
    /// `[pixels][channels]`.
    pub(crate) values: &'a [f32],
    /// Scale and shift; without an activation.
    pub(crate) norm: &'a Loaded,
    /// Of each image; 1 without.
    pub(crate) weight: Option<&'a [f32]>,
}

/// `activation(rest + sum of terms)`: `out` holds the rest, if there is one, and then the sum. With a rest there is no activation.
pub(crate) struct Forward<'a> {
    map: Map,
    terms: &'a [Term<'a>],
    activation: Activation,
    has_rest: bool,
    bands: Bands,
    out: Shared,
}

impl<'a> Forward<'a> {
    pub(crate) fn new(
        map: Map,
        terms: &'a [Term<'a>],
        (activation, has_rest): (Activation, bool),
        bands: Bands,
        out: &mut [f32],
    ) -> Self {
        assert_eq!(out.len(), map.len(), "a sum");
        check(map, terms);
        Self { map, terms, activation, has_rest, bands, out: Shared::new(out) }
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
                activation: self.activation,
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
    activation: Activation,
    has_rest: bool,
    to: *mut f32,
}

impl Job for ForwardJob<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let [from, to] = self.rows;
            for row in from..to {
                let mut channel = 0;
                while channel < self.channels {
                    let left = self.channels - channel;
                    let place = row * self.channels + channel;
                    let rest = match self.has_rest {
                        true => S::load_some(self.to.add(place), left),
                        false => S::splat(0.0),
                    };
                    let sum = summed::<S>(self.terms, self.image, (place, channel, left), rest);
                    S::store_some(self.to.add(place), self.activation.of::<S>(sum), left);
                    channel += S::N;
                }
            }
        }
    }
}

/// A rest and what is summed, of an image: a vector at a place in memory, of channels from one on, of which `left` are there.
#[inline(always)]
unsafe fn summed<S: Tiles>(
    terms: &[Term<'_>],
    image: usize,
    (place, channel, left): (usize, usize, usize),
    rest: S::V,
) -> S::V {
    unsafe {
        let mut sum = rest;
        for term in terms {
            let x = S::load_some(term.values.as_ptr().add(place), left);
            let x = term.norm.place(image).of_channels::<S>(channel).linear(x);
            sum = match term.weight {
                Some(weight) => S::fma(x, S::splat(weight[image]), sum),
                None => S::add(sum, x),
            };
        }
        sum
    }
}

/// What the gradients of a sum are made of. The gradient of the sum becomes that of each term, before its weight, and of the
/// rest: that before the activation.
pub(crate) struct Backward<'a> {
    map: Map,
    terms: &'a [Term<'a>],
    activation: Activation,
    bands: Bands,
    /// For each task and image, sums of the gradient, and of its products with how far the values of each term are from
    /// their mean.
    sums: ImageSums,
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
        activation: Activation,
        bands: Bands,
        by_sum: &mut [f32],
    ) -> Self {
        assert_eq!(by_sum.len(), map.len(), "a gradient");
        check(map, terms);
        let width = (terms.len() + 1) * padded_width(map.channels);
        let sums = ImageSums::new(&bands, width);
        Self { map, terms, activation, bands, sums, by_sum: Shared::new(by_sum) }
    }

    /// The gradients of the terms, once all tasks have run.
    pub(crate) fn gradients(&self) -> Vec<TermGradient> {
        let width = padded_width(self.map.channels);
        let of_image = self.sums.of_images();
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
        with_scratch(width, |scratch| {
            let job = BackwardJob {
                terms: self.terms,
                channels: self.map.channels,
                rows: self.bands.pixels(band),
                activation: self.activation,
                image: band.image,
                own: scratch,
                // SAFETY: a row of sums for each image of a task; all rows are some task's.
                sums: unsafe { self.sums.row(task, band.image) },
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
    activation: Activation,
    image: usize,
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
                if self.activation != Activation::NONE {
                    let none = S::splat(0.0);
                    let sum = summed::<S>(self.terms, self.image, (place, channel, left), none);
                    g = self.activation.gradient::<S>(sum, g);
                    S::store_some(self.by_sum.add(place), g, left);
                }
                let sum = self.own.add(channel);
                S::store(sum, S::add(S::load(sum), g));
                for (i, term) in self.terms.iter().enumerate() {
                    let x = S::load_some(term.values.as_ptr().add(place), left);
                    let sum = self.own.add((i + 1) * width + channel);
                    let centred = term.norm.place(self.image).of_channels::<S>(channel).centred(x);
                    S::store(sum, S::fma(g, centred, S::load(sum)));
                }
                channel += S::N;
            }
        }
    }
}
