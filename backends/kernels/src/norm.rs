//! Batch norms as scales and shifts, and what is loaded by them.

use crate::activation::Activation;
use crate::moments::Moments;
use crate::simd::Simd;
use crate::tiles::{padded_width, with_padding};

/// A batch norm: `(x - mean) / sqrt(variance + eps)`, times a scale plus a shift that it may learn.
#[derive(Debug, Clone, Copy)]
pub struct BatchNorm<'a> {
    /// Scale and shift of each channel, where it learns them.
    pub learned: Option<[&'a [f32]; 2]>,
    /// What is added to the variance.
    pub eps: f64,
    /// Mean and variance of each channel, where they are not those of the batch.
    pub fixed: Option<[&'a [f32]; 2]>,
}

/// A batch norm whose moments are known.
#[derive(Debug)]
pub(crate) struct Normed {
    pub(crate) moments: Moments,
    /// Whether the moments are those of the batch.
    is_of_batch: bool,
    /// `1 / sqrt(variance + eps)`.
    inverse: Vec<f64>,
    /// What it learns; 1 where it learns nothing.
    learned: Vec<f64>,
    /// What values are multiplied by.
    pub(crate) scale: Vec<f32>,
    /// What is added to them.
    pub(crate) shift: Vec<f32>,
}

/// The gradients of a batch norm.
#[derive(Debug)]
pub(crate) struct NormGradient {
    /// Of the scale that it learns.
    pub(crate) scale: Vec<f32>,
    /// Of the shift that it learns.
    pub(crate) shift: Vec<f32>,
    /// Of the mean of each channel; 0 where it is fixed.
    pub(crate) mean: Vec<f64>,
    /// Of the variance of each channel; 0 where it is fixed.
    pub(crate) variance: Vec<f64>,
}

impl Normed {
    /// For the moments of the batch, or for those that are fixed.
    pub(crate) fn new(norm: BatchNorm<'_>, of_batch: impl FnOnce() -> Moments) -> Self {
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        let moments = match norm.fixed {
            Some([mean, variance]) => Moments { mean: wide(mean), variance: wide(variance) },
            None => of_batch(),
        };
        let channels = moments.mean.len();
        let (learned, shift): (Vec<f64>, Vec<f64>) = match norm.learned {
            Some([scale, shift]) => (wide(scale), wide(shift)),
            None => (vec![1.0; channels], vec![0.0; channels]),
        };
        let inverse: Vec<f64> =
            moments.variance.iter().map(|variance| 1.0 / (variance + norm.eps).sqrt()).collect();
        let scale: Vec<f64> = learned.iter().zip(&inverse).map(|(own, by)| own * by).collect();
        let means = moments.mean.iter().zip(&scale);
        let shift = shift.iter().zip(means).map(|(shift, (mean, scale))| shift - mean * scale);
        Self {
            shift: shift.map(|shift| shift as f32).collect(),
            scale: scale.iter().map(|&scale| scale as f32).collect(),
            is_of_batch: norm.fixed.is_none(),
            moments,
            inverse,
            learned,
        }
    }

    /// The gradients for those of the values: sums of them, and of their products with how far values are from the mean.
    pub(crate) fn gradient(&self, products: &[f64], sums: &[f64]) -> NormGradient {
        let channels = self.inverse.len();
        let mut by = NormGradient {
            scale: Vec::with_capacity(channels),
            shift: sums.iter().map(|&sum| sum as f32).collect(),
            mean: vec![0.0; channels],
            variance: vec![0.0; channels],
        };
        for channel in 0..channels {
            let (inverse, learned) = (self.inverse[channel], self.learned[channel]);
            by.scale.push((products[channel] * inverse) as f32);
            if self.is_of_batch {
                by.mean[channel] = -sums[channel] * learned * inverse;
                by.variance[channel] = -0.5 * products[channel] * learned * inverse.powi(3);
            }
        }
        by
    }

    /// As it is loaded.
    pub(crate) fn loaded(&self, activation: Activation) -> Loaded {
        let mean: Vec<f32> = self.moments.mean.iter().map(|&mean| mean as f32).collect();
        let [scale, shift, mean] =
            [&self.scale, &self.shift, &mean].map(|values| with_padding(values));
        Loaded { scale, shift, mean, activation, step: 0 }
    }

    /// The gradient through moments of so many pixels: `constant + slope * value`.
    pub(crate) fn through(&self, by: &NormGradient, pixels: usize) -> [Vec<f32>; 2] {
        let pixels = pixels.max(1) as f64;
        let slope: Vec<f64> = by.variance.iter().map(|by| 2.0 * by / pixels).collect();
        let means = self.moments.mean.iter().zip(&by.mean).zip(&slope);
        let constant = means.map(|((mean, by), slope)| by / pixels - slope * mean);
        let constant = constant.map(|value| value as f32).collect();
        [constant, slope.iter().map(|&slope| slope as f32).collect()]
    }
}

/// How values become what a layer reads: `activation(scale * x + shift)`, with zeros behind the last channel.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Of the channels, or of those of each image.
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    /// The means of the values.
    pub(crate) mean: Vec<f32>,
    pub(crate) activation: Activation,
    /// From the scales of an image to those of the next one; 0 where they are the same.
    step: usize,
}

impl Loaded {
    /// Values as they are, but for an activation.
    pub(crate) fn plain(channels: usize, activation: Activation) -> Self {
        let (shift, mean) =
            (with_padding(&vec![0.0; channels]), with_padding(&vec![0.0; channels]));
        Self { scale: with_padding(&vec![1.0; channels]), shift, mean, activation, step: 0 }
    }

    /// Values times a number for each image and channel, and then an activation.
    pub(crate) fn gated(gate: &[f32], channels: usize, activation: Activation) -> Self {
        let scale: Vec<f32> = gate.chunks_exact(channels.max(1)).flat_map(with_padding).collect();
        Self { scale, step: padded_width(channels), ..Self::plain(channels, activation) }
    }

    /// Whether images are scaled by numbers of their own.
    pub(crate) fn is_gated(&self) -> bool {
        self.step > 0
    }

    /// For the values of an image.
    #[inline(always)]
    pub(crate) fn place(&self, image: usize) -> Norm {
        Norm {
            scale: self.scale[image * self.step..].as_ptr(),
            shift: self.shift.as_ptr(),
            mean: self.mean.as_ptr(),
            activation: self.activation,
        }
    }
}

/// A [`Loaded`] in kernels.
#[derive(Clone, Copy)]
pub(crate) struct Norm {
    pub(crate) scale: *const f32,
    pub(crate) shift: *const f32,
    pub(crate) mean: *const f32,
    pub(crate) activation: Activation,
}

impl Norm {
    /// That of a vector of channels from `channel` on.
    #[inline(always)]
    pub(crate) unsafe fn of_channels<S: Simd>(self, channel: usize) -> NormOf<S> {
        unsafe {
            NormOf {
                scale: S::load(self.scale.add(channel)),
                shift: S::load(self.shift.add(channel)),
                mean: S::load(self.mean.add(channel)),
                activation: self.activation,
            }
        }
    }
}

/// A [`Norm`] of a vector of channels: what is stored in a loop over values cannot change it, which compilers do not know of
/// memory.
#[derive(Clone, Copy)]
pub(crate) struct NormOf<S: Simd> {
    pub(crate) scale: S::V,
    shift: S::V,
    mean: S::V,
    activation: Activation,
}

impl<S: Simd> NormOf<S> {
    /// What values are before the activation.
    #[inline(always)]
    pub(crate) unsafe fn linear(self, x: S::V) -> S::V {
        unsafe { S::fma(x, self.scale, self.shift) }
    }

    /// What [`Self::linear`] gives as it is read.
    #[inline(always)]
    pub(crate) unsafe fn of_linear(self, linear: S::V) -> S::V {
        unsafe { self.activation.of::<S>(linear) }
    }

    /// Values as they are read.
    #[inline(always)]
    pub(crate) unsafe fn read(self, x: S::V) -> S::V {
        unsafe { self.of_linear(self.linear(x)) }
    }

    /// The gradient of what [`Self::linear`] gives, for that of what is read.
    #[inline(always)]
    pub(crate) unsafe fn gradient(self, linear: S::V, g: S::V) -> S::V {
        unsafe { self.activation.gradient::<S>(linear, g) }
    }

    /// How far values are from the mean.
    #[inline(always)]
    pub(crate) unsafe fn centred(self, x: S::V) -> S::V {
        unsafe { S::sub(x, self.mean) }
    }
}

/// The gradient of raw values `[pixels][channels]`: `gain * direct + constant + slope * value`.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    /// The values.
    pub(crate) values: &'a [f32],
    /// Of what reads them, their moments aside.
    pub(crate) direct: &'a [f32],
    /// Of each channel, with zeros behind the last; 1 without.
    pub(crate) gain: Option<Vec<f32>>,
    /// What the gain of each image is multiplied by.
    pub(crate) weight: Option<&'a [f32]>,
    /// Of each channel, with zeros behind the last.
    pub(crate) constant: Vec<f32>,
    /// Of each channel, with zeros behind the last.
    pub(crate) slope: Vec<f32>,
}

impl Incoming<'_> {
    /// The gradient of the values of an image.
    pub(crate) fn place(&self, image: usize) -> Gradient {
        Gradient {
            values: self.values.as_ptr(),
            direct: self.direct.as_ptr(),
            gain: self.gain.as_ref().map_or(std::ptr::null(), |gain| gain.as_ptr()),
            weight: self.weight.map_or(1.0, |weight| weight[image]),
            constant: self.constant.as_ptr(),
            slope: self.slope.as_ptr(),
        }
    }
}

/// An [`Incoming`] in kernels, for pixels of one image.
#[derive(Clone, Copy)]
pub(crate) struct Gradient {
    values: *const f32,
    direct: *const f32,
    gain: *const f32,
    weight: f32,
    constant: *const f32,
    slope: *const f32,
}

impl Gradient {
    /// That of a vector of channels from `channel` on, of which `left` are there.
    #[inline(always)]
    pub(crate) unsafe fn of_channels<S: Simd>(self, channel: usize, left: usize) -> GradientOf<S> {
        unsafe {
            let gain = match self.gain.is_null() {
                true => S::splat(1.0),
                false => S::mul(S::load(self.gain.add(channel)), S::splat(self.weight)),
            };
            GradientOf {
                values: self.values,
                direct: self.direct,
                gain,
                constant: S::load(self.constant.add(channel)),
                slope: S::load(self.slope.add(channel)),
                left,
            }
        }
    }

    /// Rows of `to.1` floats of it: of `count` pixels that begin at an element each `channels` floats, and so many `columns` from
    /// channel `first` on, in whole vectors.
    #[inline(always)]
    pub(crate) unsafe fn rows<S: Simd>(
        self,
        (element, channels, count): (usize, usize, usize),
        (first, columns): (usize, usize),
        (to, step): (*mut f32, usize),
    ) {
        unsafe {
            let mut column = 0;
            while column < columns {
                let channel = first + column;
                let of = self.of_channels::<S>(channel, channels.saturating_sub(channel));
                let (mut element, mut to) = (element + channel, to.add(column));
                for _ in 0..count {
                    S::store(to, of.load(element));
                    (element, to) = (element + channels, to.add(step));
                }
                column += S::N;
            }
        }
    }
}

/// A [`Gradient`] of a vector of channels, as [`NormOf`].
#[derive(Clone, Copy)]
pub(crate) struct GradientOf<S: Simd> {
    values: *const f32,
    direct: *const f32,
    gain: S::V,
    constant: S::V,
    slope: S::V,
    left: usize,
}

impl<S: Simd> GradientOf<S> {
    /// A vector of it at an element.
    #[inline(always)]
    pub(crate) unsafe fn load(self, element: usize) -> S::V {
        unsafe {
            let value = S::load_some(self.values.add(element), self.left);
            let direct = S::load_some(self.direct.add(element), self.left);
            S::fma(self.gain, direct, S::fma(self.slope, value, self.constant))
        }
    }
}
