//! Blocks that own what they read, drawn at random, and what they come to by loops in double precision.

use nas_kernels::*;

/// Numbers that look random, of a seed.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 24) as f32) * 2.0 - 1.0
    }

    pub(crate) fn some(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (((self.next() + 1.0) / 2.0) * count as f32) as usize % count
    }
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A layer that owns what it learns.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Pointwise { inputs: usize, outputs: usize, groups: usize },
    Depthwise(Window),
    Dense { window: Window, inputs: usize, outputs: usize },
}

#[derive(Clone, Debug)]
pub(crate) struct OwnLayer {
    pub(crate) kind: Kind,
    pub(crate) kernel: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    pub(crate) is_affine: bool,
    pub(crate) fixed: Option<[Vec<f32>; 2]>,
    pub(crate) activation: Activation,
    pub(crate) storage: Storage,
}

#[derive(Clone, Debug)]
pub(crate) struct OwnChain {
    pub(crate) map: usize,
    pub(crate) gate: Option<Vec<f32>>,
    pub(crate) input: Activation,
    pub(crate) layers: Vec<OwnLayer>,
    pub(crate) weight: Option<Vec<f32>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) maps: Vec<(Vec<f32>, Map)>,
    pub(crate) chains: Vec<OwnChain>,
    pub(crate) activation: Activation,
    pub(crate) rest: Vec<f32>,
}

pub(crate) const EPS: f64 = 1e-2;

/// Mean and variance of each layer of each chain.
pub(crate) type OfLayers = Vec<Vec<[Vec<f64>; 2]>>;

fn activated(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Clamp { least, most } => x.max(least.into()).min(most.into()),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Swish => x / (1.0 + (-x).exp()),
    }
}

fn convolved(kind: &Kind, kernel: &[f64], x: &[f64], from: Map) -> (Vec<f64>, Map) {
    match *kind {
        Kind::Pointwise { inputs, outputs, groups } => {
            let (per_group, out_group) = (inputs / groups, outputs / groups);
            let mut out = Vec::new();
            for row in x.chunks_exact(inputs) {
                for output in 0..outputs {
                    let first = output / out_group * per_group;
                    let own = &kernel[output * per_group..][..per_group];
                    out.push(own.iter().zip(&row[first..]).map(|(w, x)| w * x).sum());
                }
            }
            (out, Map { channels: outputs, ..from })
        }
        Kind::Dense { window, .. } => dense(window, kernel, x, from),
        Kind::Depthwise(window) => {
            let to = window.of(from).unwrap();
            let mut out = vec![0.0; to.len()];
            for image in 0..to.images {
                for (y, x_out, ky, kx) in places(to, window) {
                    let row = y * window.stride[0] + ky * window.dilation[0];
                    let column = x_out * window.stride[1] + kx * window.dilation[1];
                    let (Some(row), Some(column)) =
                        (row.checked_sub(window.before[0]), column.checked_sub(window.before[1]))
                    else {
                        continue;
                    };
                    if row >= from.height || column >= from.width {
                        continue;
                    }
                    let read = ((image * from.height + row) * from.width + column) * from.channels;
                    let made = ((image * to.height + y) * to.width + x_out) * to.channels;
                    let tap = ky * window.kernel[1] + kx;
                    for channel in 0..to.channels {
                        out[made + channel] +=
                            x[read + channel] * kernel[channel * window.taps() + tap];
                    }
                }
            }
            (out, to)
        }
    }
}

/// A convolution of all channels, by the kernels of its outputs.
fn dense(window: Window, kernel: &[f64], x: &[f64], from: Map) -> (Vec<f64>, Map) {
    let weights = from.channels * window.taps();
    let mut to = window.of(from).unwrap();
    let each: Vec<Vec<f64>> = kernel
        .chunks_exact(weights)
        .map(|own| {
            // The sum over the channels of what each has by a depthwise convolution.
            let (deep, _) = convolved(&Kind::Depthwise(window), own, x, from);
            deep.chunks_exact(from.channels).map(|pixel| pixel.iter().sum()).collect()
        })
        .collect();
    to.channels = each.len();
    let pixels = 0..to.pixels();
    (pixels.flat_map(|pixel| each.iter().map(move |own| own[pixel])).collect(), to)
}

fn places(to: Map, window: Window) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    let [kh, kw] = window.kernel;
    (0..to.height * to.width * kh * kw).map(move |i| {
        let (pixel, tap) = (i / (kh * kw), i % (kh * kw));
        (pixel / to.width, pixel % to.width, tap / kw, tap % kw)
    })
}

impl Own {
    /// Where it is zeros it is as good as none.
    pub(crate) fn has_rest(&self) -> bool {
        self.activation == Activation::NONE
    }

    /// All that has a gradient: the rest, the maps, then of each chain its weight, its gate, and of each layer kernel, scale, shift.
    pub(crate) fn arguments(&self) -> Vec<Vec<f64>> {
        let mut all = vec![wide(&self.rest)];
        all.extend(self.maps.iter().map(|(values, _)| wide(values)));
        for chain in &self.chains {
            for own in [&chain.weight, &chain.gate] {
                all.push(own.as_ref().map_or_else(Vec::new, |own| wide(own)));
            }
            for layer in &chain.layers {
                all.extend([wide(&layer.kernel), wide(&layer.scale), wide(&layer.shift)]);
            }
        }
        all
    }

    /// The sum, and mean and variance of each layer of each chain.
    pub(crate) fn computed(&self, arguments: &[Vec<f64>]) -> (Vec<f64>, OfLayers) {
        let mut sum = arguments[0].clone();
        let mut at = 1 + self.maps.len();
        let mut moments = Vec::new();
        for chain in &self.chains {
            let mut map = self.maps[chain.map].1;
            let [weight, gate] = [&arguments[at], &arguments[at + 1]];
            at += 2;
            let gate = |i: usize| {
                let image = i / (map.len() / map.images);
                gate.get(image * map.channels + i % map.channels).unwrap_or(&1.0)
            };
            let values = arguments[1 + chain.map].iter().enumerate();
            let mut x: Vec<f64> =
                values.map(|(i, x)| activated(x * gate(i), chain.input)).collect();
            let mut own = Vec::new();
            for layer in &chain.layers {
                let (raw, to) = convolved(&layer.kind, &arguments[at], &x, map);
                let channels = to.channels;
                let of = |c: usize| raw.iter().skip(c).step_by(channels).copied();
                let count = to.pixels() as f64;
                let mean: Vec<f64> = (0..channels).map(|c| of(c).sum::<f64>() / count).collect();
                let variance: Vec<f64> = (0..channels)
                    .map(|c| of(c).map(|x| (x - mean[c]).powi(2)).sum::<f64>() / count)
                    .collect();
                own.push([mean.clone(), variance.clone()]);
                let [mean, variance] = match &layer.fixed {
                    Some(fixed) => fixed.clone().map(|values| wide(&values)),
                    None => [mean, variance],
                };
                let (scale, shift) = (&arguments[at + 1], &arguments[at + 2]);
                at += 3;
                x = raw
                    .iter()
                    .enumerate()
                    .map(|(i, x)| {
                        let c = i % channels;
                        let y = (x - mean[c]) / (variance[c] + EPS).sqrt();
                        let y = if layer.is_affine { y * scale[c] + shift[c] } else { y };
                        activated(y, layer.activation)
                    })
                    .collect();
                map = to;
            }
            moments.push(own);
            let of_image = map.len() / map.images;
            for (i, (sum, x)) in sum.iter_mut().zip(&x).enumerate() {
                *sum += weight.get(i / of_image).unwrap_or(&1.0) * x;
            }
        }
        (sum.iter().map(|&x| activated(x, self.activation)).collect(), moments)
    }

    pub(crate) fn block(&self) -> Block<'_> {
        let maps = self.maps.iter().map(|(values, map)| Input { values, map: *map });
        let chains = self.chains.iter().map(|chain| Chain {
            map: chain.map,
            gate: chain.gate.as_deref(),
            input: chain.input,
            layers: chain.layers.iter().map(OwnLayer::layer).collect(),
            weight: chain.weight.as_deref(),
        });
        Block { maps: maps.collect(), chains: chains.collect(), activation: self.activation }
    }
}

impl OwnLayer {
    fn layer(&self) -> Layer<'_> {
        let op = match self.kind {
            Kind::Pointwise { inputs, outputs, groups } => {
                Op::Pointwise(Kernel { values: &self.kernel, inputs, outputs, groups })
            }
            Kind::Depthwise(window) => Op::Depthwise { window, kernel: &self.kernel },
            Kind::Dense { window, outputs, .. } => {
                Op::Dense { window, kernel: &self.kernel, outputs }
            }
        };
        let learned = self.is_affine.then_some([self.scale.as_slice(), self.shift.as_slice()]);
        let fixed = self.fixed.as_ref().map(|[mean, variance]| [mean.as_slice(), variance]);
        let norm = BatchNorm { learned, eps: EPS, fixed };
        Layer { op, norm, activation: self.activation, storage: self.storage }
    }
}

const ACTIVATIONS: [Activation; 5] = [
    Activation::NONE,
    Activation::RELU,
    Activation::Clamp { least: -0.4, most: 0.7 },
    Activation::HardSwish,
    Activation::Swish,
];

fn layer(numbers: &mut Numbers, kind: Kind, activation: Activation) -> OwnLayer {
    let (weights, channels) = match &kind {
        Kind::Pointwise { inputs, outputs, groups } => (outputs * inputs / groups, *outputs),
        Kind::Dense { window, inputs, outputs } => (outputs * inputs * window.taps(), *outputs),
        Kind::Depthwise(_) => unreachable!("made by `deep`"),
    };
    with_kernel(numbers, kind, weights, channels, activation)
}

fn deep(
    numbers: &mut Numbers,
    window: Window,
    channels: usize,
    activation: Activation,
) -> OwnLayer {
    with_kernel(numbers, Kind::Depthwise(window), channels * window.taps(), channels, activation)
}

fn with_kernel(
    numbers: &mut Numbers,
    kind: Kind,
    weights: usize,
    channels: usize,
    activation: Activation,
) -> OwnLayer {
    let is_affine = numbers.below(4) > 0;
    let fixed = (numbers.below(5) == 0).then(|| {
        let variance = numbers.some(channels).iter().map(|x| 1.5 + x).collect();
        [numbers.some(channels), variance]
    });
    OwnLayer {
        kernel: numbers.some(weights),
        scale: numbers.some(channels).iter().map(|x| 1.2 + x).collect(),
        shift: numbers.some(channels),
        is_affine,
        fixed,
        kind,
        activation,
        storage: Storage::Floats,
    }
}

/// A window that keeps the size of maps, or has this stride.
fn window(numbers: &mut Numbers, stride: usize) -> Window {
    let kernel = [1 + 2 * numbers.below(3), 1 + 2 * numbers.below(3)];
    let dilation = [1 + numbers.below(2); 2];
    let before = [kernel[0] / 2 * dilation[0], kernel[1] / 2 * dilation[1]];
    Window { kernel, stride: [stride; 2], dilation, before, after: before }
}

/// A block of some size: several chains of up to three layers on one or two maps.
pub(crate) fn own(seed: u64, size: usize) -> Own {
    let numbers = &mut Numbers(seed);
    let images = 1 + numbers.below(3);
    let (height, width) = (1 + numbers.below(3 * size), 2 + numbers.below(4 * size));
    let channels = |numbers: &mut Numbers| 2 * (1 + numbers.below(size * size));
    let outputs = channels(numbers);
    let stride = 1 + numbers.below(3);
    let mut maps = Vec::new();
    for _ in 0..1 + numbers.below(2) {
        let map = Map { images, height, width, channels: channels(numbers) };
        // Means far from 0.
        let values = numbers.some(map.len()).iter().map(|x| x + 1.0).collect();
        maps.push((values, map));
    }
    let mut chains = Vec::new();
    for _ in 0..1 + numbers.below(3) {
        let map = numbers.below(maps.len());
        let inputs = maps[map].1.channels;
        let input = ACTIVATIONS[numbers.below(5)];
        let groups = 1 + numbers.below(2);
        let mut layers = Vec::new();
        let mut hidden = inputs;
        if numbers.below(3) > 0 {
            hidden = 2 * (1 + numbers.below(size * size * 2));
            let kind = Kind::Pointwise { inputs, outputs: hidden, groups };
            let activation = ACTIVATIONS[numbers.below(5)];
            layers.push(layer(numbers, kind, activation));
        }
        let own = window(numbers, stride);
        let activation = ACTIVATIONS[numbers.below(5)];
        if numbers.below(3) == 0 {
            let inputs = std::mem::replace(&mut hidden, 2 * (1 + numbers.below(size * size)));
            let kind = Kind::Dense { window: own, inputs, outputs: hidden };
            layers.push(layer(numbers, kind, activation));
        } else {
            layers.push(deep(numbers, own, hidden, activation));
        }
        let kind = Kind::Pointwise { inputs: hidden, outputs, groups };
        layers.push(layer(numbers, kind, Activation::NONE));
        let weight = (numbers.below(2) == 0).then(|| numbers.some(images));
        let is_pointwise = matches!(layers[0].kind, Kind::Pointwise { .. });
        let is_gated = is_pointwise && numbers.below(3) == 0;
        let gate = is_gated.then(|| numbers.some(images * inputs));
        chains.push(OwnChain { map, gate, input, layers, weight });
    }
    let mut own = Own { maps, chains, activation: ACTIVATIONS[numbers.below(5)], rest: Vec::new() };
    if !own.has_rest() {
        // No sum is at a bound, as that of a single pixel were without shifts.
        own.chains
            .iter_mut()
            .filter_map(|chain| chain.layers.last_mut())
            .for_each(|layer| layer.is_affine = true);
    }
    let to = to(&own.block());
    let rest = if own.has_rest() { numbers.some(to.len()) } else { vec![0.0; to.len()] };
    Own { rest, ..own }
}

/// A block of one chain with a window of any sides, with zeros around of any width, on maps as small as it allows.
pub(crate) fn odd(seed: u64) -> Own {
    let numbers = &mut Numbers(seed);
    let mut sides = |least: usize, count: usize| [(); 2].map(|()| least + numbers.below(count));
    let (kernel, stride, dilation) = (sides(1, 4), sides(1, 4), sides(1, 3));
    let (before, after, more) = (sides(0, 4), sides(0, 4), sides(0, 5));
    let window = Window { kernel, stride, dilation, before, after };
    let side = |axis: usize| {
        let reach = dilation[axis] * (kernel[axis] - 1) + 1;
        reach.saturating_sub(before[axis] + after[axis]).max(1) + more[axis]
    };
    let [images, channels, outputs] = [3, 5, 5].map(|most| 1 + numbers.below(most));
    let map = Map { images, height: side(0), width: side(1), channels };
    let activations = [(); 2].map(|()| ACTIVATIONS[numbers.below(5)]);
    let first = match numbers.below(2) {
        0 => deep(numbers, window, channels, activations[0]),
        _ => {
            let outputs = 1 + numbers.below(20);
            let kind = Kind::Dense { window, inputs: channels, outputs };
            layer(numbers, kind, activations[0])
        }
    };
    let hidden = first.scale.len();
    let kind = Kind::Pointwise { inputs: hidden, outputs, groups: 1 };
    let layers = vec![first, layer(numbers, kind, Activation::NONE)];
    let maps = vec![(numbers.some(map.len()).iter().map(|x| x + 1.0).collect(), map)];
    let chain = OwnChain { map: 0, gate: None, input: activations[1], layers, weight: None };
    let own = Own { maps, chains: vec![chain], activation: Activation::NONE, rest: Vec::new() };
    let to = to(&own.block());
    Own { rest: numbers.some(to.len()), ..own }
}
