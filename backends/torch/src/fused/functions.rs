//! Fused layers as functions of tensors, with their gradients.
//!
//! Maps are `[N, C, H, W]` with channels last in memory, vectors `[C]`.

use nas_autograd::{Backward, floats, floats_mut, record};
use nas_kernels::{
    self as kernels, Clamp, Depthwise, Kernel, Map, Moments, Source, Term, Window,
};
use tch::{Device, Kind, Tensor, no_grad};

use super::processor;
use crate::error::TorchError;
use crate::layout::channels_last;

/// What a convolution and its moments are: the raw result, its mean and its variance.
type Convolved = (Tensor, [Tensor; 2]);

/// What a convolution reads.
pub(super) enum Input<'a> {
    /// A map as it is.
    Plain(&'a Tensor),
    /// A raw map, to be normalised.
    Normal(&'a Tensor, Norm<'a>),
    /// What a 1x1 convolution makes of a map, to be normalised.
    Expanded { map: &'a Tensor, kernel: &'a Tensor, groups: usize, norm: Norm<'a> },
}

/// Scale and shift `[C]`, and what follows.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    pub(super) scale: &'a Tensor,
    pub(super) shift: &'a Tensor,
    pub(super) clamp: Clamp,
}

/// Scale and shift that a batch norm learns.
#[derive(Clone, Copy)]
pub(super) struct Affine<'a> {
    pub(super) scale: &'a Tensor,
    pub(super) shift: &'a Tensor,
}

/// The same of what is kept for a gradient.
#[derive(Debug)]
struct Kept {
    /// A map as it was read.
    map: Tensor,
    /// The 1x1 convolution on the way.
    expansion: Option<Weights>,
    scale: Tensor,
    shift: Tensor,
    clamp: Clamp,
    is_plain: bool,
}

impl Input<'_> {
    fn kept(&self) -> Result<Kept, TorchError> {
        let kept = |map: &Tensor, expansion, norm: &Norm<'_>| {
            Ok::<_, TorchError>(Kept {
                map: map.f_detach()?,
                expansion,
                scale: vector(norm.scale)?,
                shift: vector(norm.shift)?,
                clamp: norm.clamp,
                is_plain: false,
            })
        };
        match self {
            Self::Plain(map) => {
                let channels = map.size().get(1).copied().unwrap_or_default();
                let options = (Kind::Float, Device::Cpu);
                Ok(Kept {
                    map: map.f_detach()?,
                    expansion: None,
                    scale: Tensor::f_ones([channels], options)?,
                    shift: Tensor::f_zeros([channels], options)?,
                    clamp: Clamp::NONE,
                    is_plain: true,
                })
            }
            Self::Normal(map, norm) => kept(map, None, norm),
            Self::Expanded { map, kernel, groups, norm } => {
                kept(map, Some(Weights::of(kernel, *groups)?), norm)
            }
        }
    }

    /// All tensors that are read, in the order of [`Kept::gradients`].
    fn tensors(&self) -> Vec<&Tensor> {
        match self {
            Self::Plain(map) => vec![map],
            Self::Normal(map, norm) => vec![map, norm.scale, norm.shift],
            Self::Expanded { map, kernel, norm, .. } => vec![map, norm.scale, norm.shift, kernel],
        }
    }
}

impl Kept {
    fn norm(&self) -> Result<kernels::Norm<'_>, TorchError> {
        let Self { scale, shift, clamp, .. } = self;
        Ok(kernels::Norm { scale: floats(scale)?, shift: floats(shift)?, clamp: *clamp })
    }

    /// The gradients of what is read.
    fn gradients(
        &self,
        map: Tensor,
        [scale, shift, expansion]: [Vec<f32>; 3],
    ) -> Result<Vec<Option<Tensor>>, TorchError> {
        let mut all = vec![Some(map)];
        if !self.is_plain {
            all.extend([Some(Tensor::f_from_slice(&scale)?), Some(Tensor::f_from_slice(&shift)?)]);
        }
        if let Some(weights) = &self.expansion {
            all.push(Some(weights.like(&expansion)?));
        }
        Ok(all)
    }
}

/// What is kept of the result of a convolution.
#[derive(Debug)]
struct Made {
    raw: Tensor,
    moments: Moments,
}

/// The gradient of a raw result.
struct Through {
    direct: Tensor,
    constant: Vec<f32>,
    slope: Vec<f32>,
}

impl Made {
    /// The gradient of the raw result for those of it and of its moments.
    fn through(&self, of: &[Option<Tensor>]) -> Result<Through, TorchError> {
        let [direct, mean, variance] = of else {
            return Err(TorchError::broken("a convolution of other results"));
        };
        let map = shape(&self.raw)?;
        let direct = match direct {
            Some(direct) => channels_last(direct)?,
            None => blank(map, true)?,
        };
        let (mean, variance) = (gradient(mean, map.channels)?, gradient(variance, map.channels)?);
        let [constant, slope] =
            kernels::through_moments(&self.moments, &mean, &variance, map.pixels());
        Ok(Through { direct, constant, slope })
    }
}

impl Through {
    fn of<'a>(&'a self, made: &'a Made) -> Result<kernels::Raw<'a>, TorchError> {
        Ok(kernels::Raw {
            values: floats(&made.raw)?,
            direct: floats(&self.direct)?,
            constant: &self.constant,
            slope: &self.slope,
        })
    }
}

/// The shape of a map.
fn shape(map: &Tensor) -> Result<Map, TorchError> {
    match map.size().as_slice() {
        &[images, channels, height, width] => {
            let [images, height, width, channels] =
                [images, height, width, channels].map(|size| size as usize);
            Ok(Map { images, height, width, channels })
        }
        sizes => Err(TorchError::broken(format!("a map of sizes {sizes:?}"))),
    }
}

/// A map of any values, or of zeros.
fn blank(map: Map, zeros: bool) -> Result<Tensor, TorchError> {
    let [n, h, w, c] = [map.images, map.height, map.width, map.channels].map(|size| size as i64);
    let mut made = Tensor::f_empty_strided(
        [n, c, h, w].as_slice(),
        [h * w * c, 1, w * c, c].as_slice(),
        (Kind::Float, Device::Cpu),
    )?;
    if zeros {
        let _ = made.f_zero_()?;
    }
    Ok(made)
}

/// The values of a map in memory of their own.
fn copied(map: &Tensor) -> Result<Tensor, TorchError> {
    let mut copy = blank(shape(map)?, false)?;
    no_grad(|| copy.f_copy_(map))?;
    Ok(copy)
}

/// The values of a vector or a kernel, row-major, without gradients.
fn vector(values: &Tensor) -> Result<Tensor, TorchError> {
    Ok(values.f_detach()?.f_reshape([-1])?.f_contiguous()?)
}

/// A kernel `[out, C / groups, height, width]`.
#[derive(Debug)]
struct Weights {
    /// Row-major.
    values: Tensor,
    sizes: Vec<i64>,
    groups: usize,
}

impl Weights {
    fn of(kernel: &Tensor, groups: usize) -> Result<Self, TorchError> {
        Ok(Self { values: vector(kernel)?, sizes: kernel.size(), groups })
    }

    fn outputs(&self) -> usize {
        self.sizes.first().copied().unwrap_or_default() as usize
    }

    /// As a 1x1 convolution of so many channels.
    fn pointwise(&self, inputs: usize) -> Result<Kernel<'_>, TorchError> {
        let (outputs, groups) = (self.outputs(), self.groups);
        Ok(Kernel { values: floats(&self.values)?, inputs, outputs, groups })
    }

    /// Values in its sizes.
    fn like(&self, values: &[f32]) -> Result<Tensor, TorchError> {
        Ok(Tensor::f_from_slice(values)?.f_view(self.sizes.as_slice())?)
    }
}

/// A 1x1 convolution with a kernel `[out, C / groups, 1, 1]`.
pub(super) fn pointwise(
    input: &Input<'_>,
    kernel: &Tensor,
    groups: usize,
) -> Result<Convolved, TorchError> {
    let layer = Pointwise { input: input.kept()?, kernel: Weights::of(kernel, groups)? };
    let map = shape(&layer.input.map)?;
    let own = layer.kernel.pointwise(map.channels)?;
    let mut raw = blank(map.with_channels(own.outputs), false)?;
    let (values, norm) = (floats(&layer.input.map)?, layer.input.norm()?);
    let moments =
        kernels::pointwise_into(processor(), values, norm, own, floats_mut(&mut raw)?);
    let mut inputs = input.tensors();
    inputs.push(kernel);
    recorded(raw, moments, &inputs, layer)
}

#[derive(Debug)]
struct Pointwise {
    input: Kept,
    kernel: Weights,
}

/// A convolution that was computed.
trait Layer {
    /// The gradients of what it reads, for those of its result and its moments.
    fn gradients(&self, made: &Made, through: Through) -> Result<Vec<Option<Tensor>>, TorchError>;
}

impl Layer for Pointwise {
    fn gradients(&self, made: &Made, through: Through) -> Result<Vec<Option<Tensor>>, TorchError> {
        let map = shape(&self.input.map)?;
        let mut by_map = blank(map, false)?;
        let [scale, shift, kernel] = kernels::pointwise_backward_into(
            processor(),
            floats(&self.input.map)?,
            self.input.norm()?,
            self.kernel.pointwise(map.channels)?,
            through.of(made)?,
            floats_mut(&mut by_map)?,
        );
        let mut all = self.input.gradients(by_map, [scale, shift, Vec::new()])?;
        all.push(Some(self.kernel.like(&kernel)?));
        Ok(all)
    }
}

/// A depthwise convolution with a kernel `[C, 1, height, width]`.
pub(super) fn depthwise(
    input: &Input<'_>,
    kernel: &Tensor,
    window: Window,
) -> Result<Convolved, TorchError> {
    let layer = Deep { input: input.kept()?, kernel: Weights::of(kernel, 1)?, window };
    let own = layer.of()?;
    let misfit = || TorchError::broken(format!("{window:?} does not fit into {:?}", own.from));
    let mut raw = blank(window.of(own.from).ok_or_else(misfit)?, false)?;
    let moments = kernels::depthwise_into(processor(), own, floats_mut(&mut raw)?);
    let mut inputs = input.tensors();
    inputs.push(kernel);
    recorded(raw, moments, &inputs, layer)
}

#[derive(Debug)]
struct Deep {
    input: Kept,
    kernel: Weights,
    window: Window,
}

impl Deep {
    fn of(&self) -> Result<Depthwise<'_>, TorchError> {
        let map = shape(&self.input.map)?;
        let values = floats(&self.input.map)?;
        let source = match &self.input.expansion {
            None => Source::Stored(values),
            Some(weights) => {
                Source::Expanded { map: values, kernel: weights.pointwise(map.channels)? }
            }
        };
        let from = map.with_channels(self.kernel.outputs());
        let (kernel, norm) = (floats(&self.kernel.values)?, self.input.norm()?);
        Ok(Depthwise { from, window: self.window, kernel, norm, source })
    }
}

impl Layer for Deep {
    fn gradients(&self, made: &Made, through: Through) -> Result<Vec<Option<Tensor>>, TorchError> {
        // Gradients of maps are summed over their channels.
        let mut by_map = blank(shape(&self.input.map)?, self.input.expansion.is_some())?;
        let [scale, shift, kernel, expansion] = kernels::depthwise_backward_into(
            processor(),
            self.of()?,
            through.of(made)?,
            floats_mut(&mut by_map)?,
        );
        let mut all = self.input.gradients(by_map, [scale, shift, expansion])?;
        all.push(Some(self.kernel.like(&kernel)?));
        Ok(all)
    }
}

/// A convolution with its gradient recorded.
fn recorded(
    mut raw: Tensor,
    moments: Moments,
    inputs: &[&Tensor],
    layer: impl Layer + 'static,
) -> Result<Convolved, TorchError> {
    let mut mean = Tensor::f_from_slice(&moments.mean)?;
    let mut variance = Tensor::f_from_slice(&moments.variance)?;
    let made = Made { raw: raw.f_detach()?, moments };
    let function = Function(move |of: &[Option<Tensor>], _: &[bool]| {
        layer.gradients(&made, made.through(of)?)
    });
    record(&mut [&mut raw, &mut mean, &mut variance], inputs, function)?;
    Ok((raw, [mean, variance]))
}

/// A function by what computes its gradients.
struct Function<F>(F);

impl<F> Backward for Function<F>
where
    F: FnMut(&[Option<Tensor>], &[bool]) -> Result<Vec<Option<Tensor>>, TorchError>,
{
    fn gradients(
        &mut self,
        of: &[Option<Tensor>],
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>, String> {
        no_grad(|| (self.0)(of, wanted)).map_err(|error| error.to_string())
    }
}

/// Mean `[C]` and covariance `[C, C]` of the channels of a map.
pub(super) fn covariance(map: &Tensor) -> Result<[Tensor; 2], TorchError> {
    let kept = map.f_detach()?;
    let from = shape(map)?;
    let channels = from.channels as i64;
    let found = kernels::covariance(processor(), floats(&kept)?, from.channels);
    let mut mean = Tensor::f_from_slice(&found.mean)?;
    let mut matrix = Tensor::f_from_slice(&found.matrix)?.f_view([channels, channels])?;
    let function = Function(move |of: &[Option<Tensor>], _: &[bool]| {
        let [by_mean, by_matrix] = of else {
            return Err(TorchError::broken("a covariance of other results"));
        };
        let by_mean = gradient(by_mean, from.channels)?;
        let by_matrix = gradient(by_matrix, from.channels * from.channels)?;
        let mut by_map = blank(from, false)?;
        let to = floats_mut(&mut by_map)?;
        kernels::covariance_backward(processor(), floats(&kept)?, &found, &by_mean, &by_matrix, to);
        Ok(vec![Some(by_map)])
    });
    record(&mut [&mut mean, &mut matrix], &[map], function)?;
    Ok([mean, matrix])
}

/// A gradient as numbers; zeros where there is none.
fn gradient(of: &Option<Tensor>, count: usize) -> Result<Vec<f32>, TorchError> {
    match of {
        Some(of) => numbers(of),
        None => Ok(vec![0.0; count]),
    }
}

fn numbers(values: &Tensor) -> Result<Vec<f32>, TorchError> {
    Ok(floats(&vector(values)?)?.to_vec())
}

/// `1 / sqrt(variance + eps)`.
fn inverse_roots(variance: &[f32], eps: f64) -> Vec<f32> {
    variance.iter().map(|&variance| (1.0 / (f64::from(variance) + eps).sqrt()) as f32).collect()
}

/// A batch norm for known moments, as a scale and a shift.
struct Coefficients {
    mean: Vec<f32>,
    /// `1 / sqrt(variance + eps)`.
    inverse: Vec<f32>,
    /// What it learns; 1 where it learns nothing.
    scale: Vec<f32>,
}

/// The gradients of a batch norm with respect to moments and to what it learns.
struct ByCoefficients {
    mean: Vec<f32>,
    variance: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Coefficients {
    fn new(moments: &Moments, affine: Option<Affine<'_>>, eps: f64) -> Result<Self, TorchError> {
        let scale = match affine {
            Some(affine) => numbers(affine.scale)?,
            None => vec![1.0; moments.mean.len()],
        };
        let inverse = inverse_roots(&moments.variance, eps);
        Ok(Self { mean: moments.mean.clone(), inverse, scale })
    }

    /// Scale and shift of the values.
    fn made(&self, affine: Option<Affine<'_>>) -> Result<[Tensor; 2], TorchError> {
        let scale: Vec<f32> =
            self.scale.iter().zip(&self.inverse).map(|(own, inverse)| own * inverse).collect();
        let shift = match affine {
            Some(affine) => numbers(affine.shift)?,
            None => vec![0.0; scale.len()],
        };
        let means = self.mean.iter().zip(&scale);
        let shift: Vec<f32> =
            shift.iter().zip(means).map(|(shift, (mean, scale))| shift - mean * scale).collect();
        Ok([Tensor::f_from_slice(&scale)?, Tensor::f_from_slice(&shift)?])
    }

    /// The gradients for those of scale and shift.
    fn gradients(&self, by_scale: &[f32], by_shift: Vec<f32>) -> ByCoefficients {
        let mut by = ByCoefficients {
            mean: Vec::new(),
            variance: Vec::new(),
            scale: Vec::new(),
            shift: Vec::new(),
        };
        let own = self.mean.iter().zip(&self.inverse).zip(&self.scale);
        for (((mean, inverse), scale), (by_scale, by_shift)) in
            own.zip(by_scale.iter().zip(&by_shift))
        {
            let by_scale = by_scale - by_shift * mean;
            by.mean.push(-by_shift * scale * inverse);
            by.variance.push(-0.5 * by_scale * scale * inverse * inverse * inverse);
            by.scale.push(by_scale * inverse);
        }
        by.shift = by_shift;
        by
    }
}

/// The tensors that a batch norm learns.
fn learned(affine: Option<Affine<'_>>) -> Vec<&Tensor> {
    affine.map_or_else(Vec::new, |affine| vec![affine.scale, affine.shift])
}

/// What a batch norm makes of values with these moments: a scale and a shift.
pub(super) fn coefficients(
    [mean, variance]: [&Tensor; 2],
    affine: Option<Affine<'_>>,
    eps: f64,
) -> Result<[Tensor; 2], TorchError> {
    let moments = Moments { mean: numbers(mean)?, variance: numbers(variance)? };
    let own = Coefficients::new(&moments, affine, eps)?;
    let [mut scale, mut shift] = own.made(affine)?;
    let mut inputs = vec![mean, variance];
    inputs.extend(learned(affine));
    let learns = affine.is_some();
    let function = Function(move |of: &[Option<Tensor>], _: &[bool]| {
        let by = by_coefficients(&own, of)?;
        let mut all = vec![Some(by.mean), Some(by.variance)];
        if learns {
            all.extend([Some(by.scale), Some(by.shift)]);
        }
        tensors(all)
    });
    record(&mut [&mut scale, &mut shift], &inputs, function)?;
    Ok([scale, shift])
}

fn by_coefficients(
    own: &Coefficients,
    of: &[Option<Tensor>],
) -> Result<ByCoefficients, TorchError> {
    let [by_scale, by_shift] = of else {
        return Err(TorchError::broken("a batch norm of other results"));
    };
    let count = own.mean.len();
    Ok(own.gradients(&gradient(by_scale, count)?, gradient(by_shift, count)?))
}

fn tensors(values: Vec<Option<Vec<f32>>>) -> Result<Vec<Option<Tensor>>, TorchError> {
    let made = values.into_iter().map(|values| {
        let made = values.map(|values| Tensor::f_from_slice(&values));
        Ok(made.transpose()?)
    });
    made.collect()
}

/// What a batch norm makes of the result of a 1x1 convolution of maps with this mean and covariance: a scale and a shift; and
/// the moments of that result.
pub(super) fn expanded(
    [mean, matrix]: &[Tensor; 2],
    kernel: &Tensor,
    groups: usize,
    affine: Option<Affine<'_>>,
    eps: f64,
) -> Result<([Tensor; 2], [Tensor; 2]), TorchError> {
    let of_map = kernels::Covariance { mean: numbers(mean)?, matrix: numbers(matrix)? };
    let weights = Weights::of(kernel, groups)?;
    let moments = of_map.moments(weights.pointwise(of_map.mean.len())?);
    let own = Coefficients::new(&moments, affine, eps)?;
    let [mut scale, mut shift] = own.made(affine)?;
    let mut inputs = vec![mean, matrix, kernel];
    inputs.extend(learned(affine));
    let learns = affine.is_some();
    let function = Function(move |of: &[Option<Tensor>], _: &[bool]| {
        let by = by_coefficients(&own, of)?;
        let channels = of_map.mean.len();
        let mut by_mean = vec![0.0; channels];
        let mut by_matrix = vec![0.0; channels * channels];
        let mut by_kernel = vec![0.0; weights.values.numel()];
        of_map.moments_backward(
            weights.pointwise(channels)?,
            [&by.mean, &by.variance],
            [&mut by_mean, &mut by_matrix, &mut by_kernel],
        );
        let size = channels as i64;
        let mut all = vec![
            Some(Tensor::f_from_slice(&by_mean)?),
            Some(Tensor::f_from_slice(&by_matrix)?.f_view([size, size])?),
            Some(weights.like(&by_kernel)?),
        ];
        if learns {
            all.extend(tensors(vec![Some(by.scale), Some(by.shift)])?);
        }
        Ok(all)
    });
    record(&mut [&mut scale, &mut shift], &inputs, function)?;
    let moments =
        [Tensor::f_from_slice(&moments.mean)?, Tensor::f_from_slice(&moments.variance)?];
    Ok(([scale, shift], moments))
}

/// Moves running statistics towards moments of so many pixels.
pub(super) fn run(
    [mean, variance]: [&Tensor; 2],
    moments: &[Tensor; 2],
    momentum: f64,
    pixels: usize,
) -> Result<(), TorchError> {
    let [of_mean, of_variance] = moments;
    let unbiased = pixels as f64 / (pixels.max(2) - 1) as f64;
    let _ = mean.shallow_clone().f_lerp_(&of_mean.f_detach()?, momentum)?;
    let of_variance = of_variance.f_detach()?.f_mul_scalar(unbiased)?;
    let _ = variance.shallow_clone().f_lerp_(&of_variance, momentum)?;
    Ok(())
}

/// A raw value `[N, C, H, W]` as it counts in a sum: `weight * (scale * values + shift)`.
#[derive(Debug)]
pub(crate) struct Addend {
    pub(super) values: Tensor,
    pub(super) scale: Tensor,
    pub(super) shift: Tensor,
    /// Of each picture, or of all.
    pub(super) weight: Option<Tensor>,
}

/// What is kept of an addend.
#[derive(Debug)]
struct KeptAddend {
    values: Tensor,
    scale: Tensor,
    shift: Tensor,
    weight: Option<Tensor>,
}

impl KeptAddend {
    fn term(&self) -> Result<Term<'_>, TorchError> {
        Ok(Term {
            values: floats(&self.values)?,
            scale: floats(&self.scale)?,
            shift: floats(&self.shift)?,
            weight: self.weight.as_ref().map(floats).transpose()?,
        })
    }
}

/// `clamp(rest + addends)`.
pub(super) fn sum(
    rest: Option<&Tensor>,
    addends: &[Addend],
    clamp: Clamp,
) -> Result<Tensor, TorchError> {
    let missing = || TorchError::broken("a sum of nothing");
    let map = shape(&addends.first().ok_or_else(missing)?.values)?;
    let images = map.images as i64;
    let mut weights = Vec::new();
    for addend in addends {
        // One weight for all pictures is one for each; autograd sums what they get.
        weights.push(addend.weight.as_ref().map(|weight| weight.f_expand([images], false)).transpose()?);
    }
    let mut kept = Vec::new();
    for (addend, weight) in addends.iter().zip(&weights) {
        kept.push(KeptAddend {
            values: addend.values.f_detach()?,
            scale: vector(&addend.scale)?,
            shift: vector(&addend.shift)?,
            weight: weight.as_ref().map(vector).transpose()?,
        });
    }
    let mut out = match rest {
        Some(rest) => copied(rest)?,
        None => blank(map, true)?,
    };
    {
        let terms = kept.iter().map(KeptAddend::term).collect::<Result<Vec<_>, _>>()?;
        kernels::sum_into(processor(), map, &terms, clamp, floats_mut(&mut out)?);
    }
    let mut inputs: Vec<&Tensor> = rest.into_iter().collect();
    for (addend, weight) in addends.iter().zip(&weights) {
        inputs.extend([&addend.values, &addend.scale, &addend.shift]);
        inputs.extend(weight);
    }
    let clamped = (clamp != Clamp::NONE).then(|| out.f_detach()).transpose()?;
    let has_rest = rest.is_some();
    let function = Function(move |of: &[Option<Tensor>], _: &[bool]| {
        let direct = match of {
            [Some(of)] => channels_last(of)?,
            _ => blank(map, true)?,
        };
        // What comes is not ours to change.
        let mut by_sum = match &clamped {
            Some(_) => copied(&direct)?,
            None => direct,
        };
        let terms = kept.iter().map(KeptAddend::term).collect::<Result<Vec<_>, _>>()?;
        let bounds = match &clamped {
            Some(out) => Some((clamp, floats(out)?)),
            None => None,
        };
        let mut values = Vec::new();
        for _ in &kept {
            values.push(blank(map, false)?);
        }
        let mut to = values.iter_mut().map(floats_mut).collect::<Result<Vec<_>, _>>()?;
        let own = floats_mut(&mut by_sum)?;
        let found = kernels::sum_backward(processor(), map, &terms, bounds, own, &mut to);
        let mut all = Vec::new();
        if has_rest {
            all.push(Some(by_sum));
        }
        for ((found, values), kept) in found.into_iter().zip(values).zip(&kept) {
            all.push(Some(values));
            all.extend(tensors(vec![Some(found.scale), Some(found.shift)])?);
            if kept.weight.is_some() {
                all.push(Some(Tensor::f_from_slice(&found.weight)?));
            }
        }
        Ok(all)
    });
    record(&mut [&mut out], &inputs, function)?;
    Ok(out)
}
