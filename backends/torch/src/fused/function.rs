//! A block of layers as a function of tensors, with its gradient.
//!
//! Maps are `[N, C, H, W]` with channels last in memory.

use std::rc::Rc;

use nas_autograd::{
    Backward, floats, floats_mut, is_recording, of_floats, record, row_major_floats,
};
use nas_kernels::{
    self as kernels, Activation, BatchNorm, Block, Input, Kept, Kernel, LayerGradient, Map, Op,
    Storage,
};
use tch::{Device, Kind, Tensor, no_grad};

use super::chain::{Chain, Layer, Norm};
use super::convolution::Convolution;
use super::threads::processor;
use crate::error::TorchError;
use crate::gathered;
use crate::layout::channels_last;
use crate::statistics::Statistics;

/// The sum of a tensor `[N, C, H, W]`, if there is one, and of chains that are linear.
pub(crate) fn sum(rest: Option<&Tensor>, chains: Vec<Chain>) -> Result<Tensor, TorchError> {
    block(rest, chains, Activation::NONE)
}

impl Chain {
    /// The tensor.
    pub(crate) fn settled(mut self) -> Result<Tensor, TorchError> {
        let Some(last) = self.layers.last_mut() else {
            let gated = self.gate.as_ref().map(|gate| self.map.f_mul(gate)).transpose()?;
            let map = gated.unwrap_or(self.map);
            return if self.input == Activation::NONE {
                Ok(map)
            } else {
                activated(&map, self.input)
            };
        };
        let activation = std::mem::replace(&mut last.activation, Activation::NONE);
        block(None, vec![self], activation)
    }
}

/// An activation as libtorch computes it.
fn activated(x: &Tensor, activation: Activation) -> Result<Tensor, TorchError> {
    Ok(match activation {
        Activation::RELU => x.f_relu()?,
        Activation::RELU6 => x.f_relu6()?,
        Activation::Clamp { least, most } => x.f_clamp(f64::from(least), f64::from(most))?,
        Activation::HardSwish => x.f_hardswish()?,
        Activation::Swish => x.f_silu()?,
    })
}

/// `activation(rest + sum of chains)`; with a rest there is no activation. Running statistics move as the chains say.
fn block(
    rest: Option<&Tensor>,
    chains: Vec<Chain>,
    activation: Activation,
) -> Result<Tensor, TorchError> {
    let weights = chains.iter().map(Chain::weights).collect::<Result<Vec<_>, _>>()?;
    let held = Held::of(&chains, &weights, activation)?;
    let block = held.block()?;
    let mut out = match rest {
        Some(rest) => copied(rest)?,
        None => blank(kernels::to(&block), false)?,
    };
    let kept = kernels::forward(processor(), &block, rest.is_some(), floats_mut(&mut out)?);
    for (number, chain) in chains.iter().enumerate() {
        for (layer, Layer { norm, .. }) in chain.layers.iter().enumerate() {
            if let Some(norm) = norm {
                norm.run(&kept, number, layer)?;
            }
        }
    }
    let mut inputs: Vec<&Tensor> = rest.into_iter().chain(held.read_maps(&chains)).collect();
    inputs.extend(weights.iter().flatten());
    inputs.extend(chains.iter().filter_map(|chain| chain.gate.as_ref()));
    let of_held = held.chains.iter().flat_map(|chain| &chain.layers);
    let layers = chains.iter().flat_map(|chain| &chain.layers).zip(of_held);
    let learned = layers.flat_map(|(layer, held)| layer.parameters().zip(&held.are_gathered));
    let mut gathers = false;
    for (parameter, is_gathered) in learned {
        gathers |= is_gathered;
        inputs.extend((!is_gathered).then_some(parameter));
    }
    let anchor = gathers.then(gathered::anchor).flatten();
    inputs.extend(&anchor);
    let function = Function { held, kept, has_rest: rest.is_some() };
    record(&mut [&mut out], &inputs, function)?;
    Ok(out)
}

impl Chain {
    /// A weight for each picture. Where there is one for all, autograd sums what they get.
    fn weights(&self) -> Result<Option<Tensor>, TorchError> {
        let images = self.map.size().first().copied().unwrap_or_default();
        Ok(self.weight.as_ref().map(|weight| weight.f_expand([images], false)).transpose()?)
    }
}

impl Norm {
    /// Moves the running statistics towards those of a layer.
    fn run(&self, kept: &Kept, chain: usize, layer: usize) -> Result<(), TorchError> {
        let momentum = match self.statistics {
            Statistics::Running | Statistics::Batch => return Ok(()),
            Statistics::Learn => self.momentum,
            Statistics::Average { seen } => 1.0 / (f64::from(seen) + 1.0),
        };
        let pixels = kept.pixels(chain, layer);
        let unbiased = pixels as f64 / (pixels.max(2) - 1) as f64;
        let moments = kept.moments(chain, layer);
        let variance = moments.variance.iter().map(|variance| variance * unbiased);
        let [mean, of_variance] = &self.running;
        no_grad(|| {
            move_toward(mean, moments.mean.iter().copied(), momentum)?;
            move_toward(of_variance, variance, momentum)
        })
    }
}

/// Moves values a share of the way to others.
fn move_toward(
    values: &Tensor,
    to: impl Iterator<Item = f64>,
    share: f64,
) -> Result<(), TorchError> {
    let mut values = values.shallow_clone();
    for (value, to) in floats_mut(&mut values)?.iter_mut().zip(to) {
        *value = (f64::from(*value) * (1.0 - share) + to * share) as f32;
    }
    Ok(())
}

/// All that a block reads.
struct Held {
    maps: Vec<Tensor>,
    chains: Vec<HeldChain>,
    activation: Activation,
}

struct HeldChain {
    /// Which of the maps, and its channels.
    map: usize,
    channels: i64,
    /// `[N * C]`.
    gate: Option<Tensor>,
    input: Activation,
    layers: Vec<HeldLayer>,
    weight: Option<Tensor>,
}

struct HeldLayer {
    op: Convolution,
    /// Row-major.
    kernel: Tensor,
    sizes: Vec<i64>,
    /// Scale and shift, of which a bias is the shift alone.
    learned: Option<[Tensor; 2]>,
    has_bias: bool,
    /// Of which of its parameters the gradient is gathered, in their order.
    are_gathered: Vec<bool>,
    fixed: Option<[Tensor; 2]>,
    eps: f64,
    activation: Activation,
    storage: Storage,
}

impl Held {
    fn of(
        chains: &[Chain],
        weights: &[Option<Tensor>],
        activation: Activation,
    ) -> Result<Self, TorchError> {
        let mut held = Self { maps: Vec::new(), chains: Vec::new(), activation };
        let mut first: Vec<&Chain> = Vec::new();
        for (chain, weight) in chains.iter().zip(weights) {
            let place = first.iter().position(|it| Rc::ptr_eq(&it.identity, &chain.identity));
            let map = place.unwrap_or(first.len());
            if place.is_none() {
                first.push(chain);
                held.maps.push(chain.map.f_detach()?);
            }
            let layers = chain.layers.iter().map(HeldLayer::of).collect::<Result<_, _>>()?;
            let weight = weight.as_ref().map(plain).transpose()?;
            let gate = chain.gate.as_ref().map(plain).transpose()?;
            let channels = shape(&chain.map)?.channels as i64;
            held.chains.push(HeldChain { map, channels, gate, input: chain.input, layers, weight });
        }
        Ok(held)
    }

    /// The maps as tensors that autograd knows.
    fn read_maps<'c>(&self, chains: &'c [Chain]) -> impl Iterator<Item = &'c Tensor> {
        let place = |map| self.chains.iter().position(|chain| chain.map == map);
        let first: Vec<usize> = (0..self.maps.len()).filter_map(place).collect();
        first.into_iter().filter_map(|place| chains.get(place)).map(|chain| &chain.map)
    }

    fn block(&self) -> Result<Block<'_>, TorchError> {
        let maps = self.maps.iter().map(|map| Ok(Input { values: floats(map)?, map: shape(map)? }));
        let maps = maps.collect::<Result<Vec<_>, TorchError>>()?;
        let chains = self.chains.iter().map(|chain| {
            let mut channels = maps.get(chain.map).map_or(0, |input| input.map.channels);
            let mut layers = Vec::new();
            for layer in &chain.layers {
                layers.push(layer.layer(channels)?);
                channels = layer.outputs();
            }
            let weight = chain.weight.as_ref().map(row_major_floats).transpose()?;
            let gate = chain.gate.as_ref().map(row_major_floats).transpose()?;
            Ok(kernels::Chain { map: chain.map, gate, input: chain.input, layers, weight })
        });
        let chains = chains.collect::<Result<_, TorchError>>()?;
        Ok(Block { maps, chains, activation: self.activation })
    }
}

impl HeldLayer {
    fn of(layer: &Layer) -> Result<Self, TorchError> {
        let both = |[a, b]: &[Tensor; 2]| Ok::<_, TorchError>([plain(a)?, plain(b)?]);
        let sizes = layer.kernel.size();
        let (learned, fixed, eps) = match &layer.norm {
            Some(Norm { learned, running, statistics, eps, .. }) => {
                let is_fixed = *statistics == Statistics::Running;
                let fixed = is_fixed.then(|| both(running)).transpose()?;
                (learned.as_ref().map(both).transpose()?, fixed, *eps)
            }
            // A batch norm leaves values as they are whose mean is said to be 0, and the variance 1.
            None => {
                let channels = sizes.first().copied().unwrap_or_default();
                let options = (Kind::Float, Device::Cpu);
                let (zeros, ones) =
                    (Tensor::f_zeros([channels], options)?, Tensor::f_ones([channels], options)?);
                let with_bias = |bias: &Tensor| both(&[ones.shallow_clone(), bias.shallow_clone()]);
                let learned = layer.bias.as_ref().map(with_bias).transpose()?;
                (learned, Some([zeros, ones]), 0.0)
            }
        };
        let Layer { op, activation, .. } = *layer;
        let storage = if is_recording() { layer.storage } else { Storage::Recomputed };
        let kernel = plain(&layer.kernel)?;
        let has_bias = layer.bias.is_some();
        let takes = |parameter| is_recording() && gathered::takes(parameter);
        let are_gathered = layer.parameters().map(takes).collect();
        Ok(Self {
            op,
            kernel,
            sizes,
            learned,
            has_bias,
            are_gathered,
            fixed,
            eps,
            activation,
            storage,
        })
    }

    fn outputs(&self) -> usize {
        self.sizes.first().copied().unwrap_or_default() as usize
    }

    fn layer(&self, inputs: usize) -> Result<kernels::Layer<'_>, TorchError> {
        let values = row_major_floats(&self.kernel)?;
        let op = match self.op {
            Convolution::Pointwise { groups } => {
                Op::Pointwise(Kernel { values, inputs, outputs: self.outputs(), groups })
            }
            Convolution::Depthwise(window) => Op::Depthwise { window, kernel: values },
            Convolution::Dense(window) => {
                Op::Dense { window, kernel: values, outputs: self.outputs() }
            }
        };
        let learned = self.learned.as_ref().map(both).transpose()?;
        let fixed = self.fixed.as_ref().map(both).transpose()?;
        let norm = BatchNorm { learned, eps: self.eps, fixed };
        Ok(kernels::Layer { op, norm, activation: self.activation, storage: self.storage })
    }
}

fn both([a, b]: &[Tensor; 2]) -> Result<[&[f32]; 2], TorchError> {
    Ok([row_major_floats(a)?, row_major_floats(b)?])
}

/// How the gradient of a block is computed.
struct Function {
    held: Held,
    kept: Kept,
    has_rest: bool,
}

impl Backward for Function {
    fn gradients(
        &mut self,
        of: &[Option<Tensor>],
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>, String> {
        no_grad(|| self.computed(of, wanted)).map_err(|error| error.to_string())
    }
}

impl Function {
    fn computed(
        &mut self,
        of: &[Option<Tensor>],
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>, TorchError> {
        let Self { held, kept, has_rest } = self;
        let block = held.block()?;
        let mut by_out = match of {
            // What comes is not ours to change.
            [Some(of)] if held.activation != Activation::NONE => copied(of)?,
            [Some(of)] => channels_last(of)?,
            _ => blank(kept.to(), true)?,
        };
        let mut by_maps = Vec::new();
        for map in &held.maps {
            by_maps.push(blank(shape(map)?, false)?);
        }
        let mut to = by_maps.iter_mut().map(floats_mut).collect::<Result<Vec<_>, _>>()?;
        let by_sum = floats_mut(&mut by_out)?;
        // Maps come behind the rest.
        let wanted = wanted.get(usize::from(*has_rest)..).unwrap_or_default();
        let wanted = wanted.get(..to.len()).unwrap_or_default();
        let found = kernels::backward(processor(), &block, kept, by_sum, (&mut to, wanted));
        let mut all = Vec::new();
        if *has_rest {
            all.push(Some(by_out));
        }
        all.extend(
            by_maps.into_iter().zip(wanted).map(|(by_map, wanted)| wanted.then_some(by_map)),
        );
        for (chain, found) in held.chains.iter().zip(&found) {
            if chain.weight.is_some() {
                all.push(Some(vector(&found.weight)?));
            }
        }
        for (chain, found) in held.chains.iter().zip(&found) {
            if chain.gate.is_some() {
                let images = found.gate.len() as i64 / chain.channels.max(1);
                all.push(Some(of_floats(&found.gate, &[images, chain.channels, 1, 1])?));
            }
        }
        for (chain, found) in held.chains.iter().zip(&found) {
            for (layer, found) in chain.layers.iter().zip(&found.layers) {
                layer.hand_on(found, &mut all)?;
            }
        }
        Ok(all)
    }
}

impl HeldLayer {
    /// Has the gradients of its parameters go where they belong: to autograd, or to what gathers them.
    fn hand_on(
        &self,
        found: &LayerGradient,
        to: &mut Vec<Option<Tensor>>,
    ) -> Result<(), TorchError> {
        let scale_and_shift = match &self.learned {
            None => [None, None],
            Some([_, shift]) if self.has_bias => [None, Some((shift, &found.shift))],
            Some([scale, shift]) => [Some((scale, &found.scale)), Some((shift, &found.shift))],
        };
        let all = std::iter::once((&self.kernel, &found.kernel))
            .chain(scale_and_shift.into_iter().flatten());
        for (place, ((parameter, gradient), is_gathered)) in all.zip(&self.are_gathered).enumerate()
        {
            if *is_gathered {
                gathered::add(parameter, gradient)?;
            } else if place == 0 {
                to.push(Some(of_floats(gradient, &self.sizes)?));
            } else {
                to.push(Some(vector(gradient)?));
            }
        }
        Ok(())
    }
}

fn vector(values: &[f32]) -> Result<Tensor, TorchError> {
    Ok(of_floats(values, &[values.len() as i64])?)
}

/// The shape of a map.
pub(super) fn shape(map: &Tensor) -> Result<Map, TorchError> {
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
pub(super) fn blank(map: Map, zeros: bool) -> Result<Tensor, TorchError> {
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

/// A vector or a kernel whose values are row-major.
fn plain(values: &Tensor) -> Result<Tensor, TorchError> {
    if values.is_contiguous() {
        return Ok(values.shallow_clone());
    }
    Ok(values.f_detach()?.f_contiguous()?)
}
