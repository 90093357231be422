//! Sums of normalised values: the mixture of candidates, a residual, an activation.

use crate::pointwise::{padded_width, with_padding};
use crate::shape::{Clamp, Map};
use crate::simd::{Job, at};
use crate::tiles::Tiles;
use crate::work::{Processor, Shared, TASKS, stretches};

/// A value of a sum: `weight * (scale * x + shift)`.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// `[pixels][channels]`.
    pub values: &'a [f32],
    /// Of each channel.
    pub scale: &'a [f32],
    /// Of each channel.
    pub shift: &'a [f32],
    /// Of each image; 1 without.
    pub weight: Option<&'a [f32]>,
}

/// The gradient of a sum with respect to what a term is made of, its values aside.
#[derive(Debug, Clone, PartialEq)]
pub struct TermGradient {
    /// Of the scale.
    pub scale: Vec<f32>,
    /// Of the shift.
    pub shift: Vec<f32>,
    /// Of the weight of each image.
    pub weight: Vec<f32>,
}

/// `clamp(rest + sum of terms)` for maps of this shape; `out` holds the rest, and then the sum.
pub fn sum_into(
    processor: Processor<'_>,
    map: Map,
    terms: &[Term<'_>],
    clamp: Clamp,
    out: &mut [f32],
) {
    assert_eq!(out.len(), map.len(), "a sum");
    let prepared = prepare(map, terms);
    let stretches = rows(map);
    let to = Shared::new(out);
    processor.pool.run(stretches.len(), &|task| {
        let job = Forward {
            terms: &prepared,
            map,
            rows: stretches[task],
            clamp,
            // SAFETY: all rows are some task's.
            to: unsafe { to.at(0) },
        };
        // SAFETY: the level is one that was detected, and sizes were compared in `prepare`.
        unsafe { at(processor.level, job) };
    });
}

/// The gradients of the terms for that of the sum, which for their values, their moments aside, goes into memory that is
/// there; `clamped` has the result where it was clamped. What of the gradient reaches the terms, and so the rest, is left in `by_sum`.
#[must_use]
pub fn sum_backward(
    processor: Processor<'_>,
    map: Map,
    terms: &[Term<'_>],
    clamped: Option<(Clamp, &[f32])>,
    by_sum: &mut [f32],
    by_values: &mut [&mut [f32]],
) -> Vec<TermGradient> {
    assert_eq!(by_sum.len(), map.len(), "a gradient");
    assert_eq!(by_values.len(), terms.len(), "a gradient for each term");
    assert!(by_values.iter().all(|values| values.len() == map.len()), "values of a term");
    let prepared = prepare(map, terms);
    let stretches = rows(map);
    let width = padded_width(map.channels);
    let each = (terms.len() + 1) * width;
    let mut rows_of = vec![0.0; stretches.len() * each];
    let to: Vec<Shared> = by_values.iter_mut().map(|values| Shared::new(values)).collect();
    let (sums, by_sum) = (Shared::new(&mut rows_of), Shared::new(by_sum));
    processor.pool.run(stretches.len(), &|task| {
        let job = Backward {
            terms: &prepared,
            to: &to,
            map,
            rows: stretches[task],
            clamped: clamped.map(|(clamp, sum)| (clamp, sum.as_ptr())),
            // SAFETY: a row of sums for each task; all rows are some task's.
            sums: unsafe { sums.at(task * each) },
            by_sum: unsafe { by_sum.at(0) },
        };
        // SAFETY: as in `sum_into`.
        unsafe { at(processor.level, job) };
    });
    let mut of_image = vec![vec![0.0_f64; each]; map.images];
    for (row, [from, _]) in rows_of.chunks_exact(each).zip(&stretches) {
        let image = from / (map.height * map.width).max(1);
        for (sum, value) in of_image[image].iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    let terms = terms.iter().enumerate();
    terms.map(|(i, term)| gradient(map, *term, i, &of_image, width)).collect()
}

fn gradient(
    map: Map,
    term: Term<'_>,
    i: usize,
    of_image: &[Vec<f64>],
    width: usize,
) -> TermGradient {
    let channels = map.channels;
    let (mut scale, mut shift) = (vec![0.0; channels], vec![0.0; channels]);
    let mut weight = Vec::new();
    for (image, sums) in of_image.iter().enumerate() {
        let own = term.weight.map_or(1.0, |weight| f64::from(weight[image]));
        let mut by_weight = 0.0;
        for channel in 0..channels {
            let (plain, product) = (sums[channel], sums[(i + 1) * width + channel]);
            scale[channel] += own * product;
            shift[channel] += own * plain;
            by_weight += f64::from(term.scale[channel]) * product;
            by_weight += f64::from(term.shift[channel]) * plain;
        }
        weight.push(by_weight as f32);
    }
    let floats = |sums: Vec<f64>| sums.into_iter().map(|sum| sum as f32).collect();
    TermGradient { scale: floats(scale), shift: floats(shift), weight }
}

/// Rows of pixels for each task, none of which is of two images.
fn rows(map: Map) -> Vec<[usize; 2]> {
    let pixels = map.height * map.width;
    let own = stretches(pixels, 1, TASKS.div_ceil(map.images.max(1)));
    let images = 0..map.images;
    let of = |image: usize| {
        own.iter().map(move |[from, to]| [image * pixels + from, image * pixels + to])
    };
    images.flat_map(of).collect()
}

/// A term whose scale and shift are padded.
struct Prepared<'a> {
    values: &'a [f32],
    scale: Vec<f32>,
    shift: Vec<f32>,
    weight: Option<&'a [f32]>,
}

fn prepare<'a>(map: Map, terms: &[Term<'a>]) -> Vec<Prepared<'a>> {
    let prepared = terms.iter().map(|term| {
        assert_eq!(term.values.len(), map.len(), "values of a term");
        assert_eq!([term.scale.len(), term.shift.len()], [map.channels; 2], "a term");
        if let Some(weight) = term.weight {
            assert_eq!(weight.len(), map.images, "a weight for each image");
        }
        Prepared {
            values: term.values,
            scale: with_padding(term.scale),
            shift: with_padding(term.shift),
            weight: term.weight,
        }
    });
    prepared.collect()
}

struct Forward<'a> {
    terms: &'a [Prepared<'a>],
    map: Map,
    rows: [usize; 2],
    clamp: Clamp,
    to: *mut f32,
}

impl Job for Forward<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let channels = self.map.channels;
            let bounds = [S::splat(self.clamp.least), S::splat(self.clamp.most)];
            let [from, to] = self.rows;
            let image = from / (self.map.height * self.map.width).max(1);
            for row in from..to {
                let mut channel = 0;
                while channel < channels {
                    let left = channels - channel;
                    let place = row * channels + channel;
                    let mut sum = S::load_some(self.to.add(place), left);
                    for term in self.terms {
                        let x = S::load_some(term.values.as_ptr().add(place), left);
                        let scale = S::load(term.scale.as_ptr().add(channel));
                        let x = S::fma(x, scale, S::load(term.shift.as_ptr().add(channel)));
                        sum = match term.weight {
                            Some(weight) => S::fma(x, S::splat(weight[image]), sum),
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

struct Backward<'a> {
    terms: &'a [Prepared<'a>],
    to: &'a [Shared],
    map: Map,
    rows: [usize; 2],
    clamped: Option<(Clamp, *const f32)>,
    /// Of the gradient, then of its products with the values of each term.
    sums: *mut f32,
    by_sum: *mut f32,
}

impl Job for Backward<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        unsafe {
            let (channels, width) = (self.map.channels, padded_width(self.map.channels));
            let [from, to] = self.rows;
            let image = from / (self.map.height * self.map.width).max(1);
            for row in from..to {
                let mut channel = 0;
                while channel < channels {
                    let left = channels - channel;
                    let place = row * channels + channel;
                    let mut g = S::load_some(self.by_sum.add(place), left);
                    if let Some((clamp, sum)) = self.clamped {
                        let y = S::load_some(sum.add(place), left);
                        g = S::inside(y, S::splat(clamp.least), S::splat(clamp.most), g);
                        S::store_some(self.by_sum.add(place), g, left);
                    }
                    let sum = self.sums.add(channel);
                    S::store(sum, S::add(S::load(sum), g));
                    for (i, (term, to)) in self.terms.iter().zip(self.to).enumerate() {
                        let x = S::load_some(term.values.as_ptr().add(place), left);
                        let sum = self.sums.add((i + 1) * width + channel);
                        S::store(sum, S::fma(g, x, S::load(sum)));
                        let mut factor = S::load(term.scale.as_ptr().add(channel));
                        if let Some(weight) = term.weight {
                            factor = S::mul(factor, S::splat(weight[image]));
                        }
                        S::store_some(to.at(place), S::mul(g, factor), left);
                    }
                    channel += S::N;
                }
            }
        }
    }
}
