//! Blocks against loops in double precision, and their gradients against differences of these, over small shapes and in each
//! set of instructions that there is.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use nas_kernels::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Numbers that look random, of a seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 24) as f32) * 2.0 - 1.0
    }

    fn some(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    fn below(&mut self, count: usize) -> usize {
        (((self.next() + 1.0) / 2.0) * count as f32) as usize % count
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A layer that owns what it learns.
#[derive(Clone, Debug)]
enum Kind {
    Pointwise { inputs: usize, outputs: usize, groups: usize },
    Depthwise(Window),
    Dense { window: Window, inputs: usize, outputs: usize },
}

#[derive(Clone, Debug)]
struct OwnLayer {
    kind: Kind,
    kernel: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    is_affine: bool,
    fixed: Option<[Vec<f32>; 2]>,
    activation: Activation,
    is_kept: bool,
}

#[derive(Clone, Debug)]
struct OwnChain {
    map: usize,
    gate: Option<Vec<f32>>,
    input: Activation,
    layers: Vec<OwnLayer>,
    weight: Option<Vec<f32>>,
}

#[derive(Clone, Debug)]
struct Own {
    maps: Vec<(Vec<f32>, Map)>,
    chains: Vec<OwnChain>,
    activation: Activation,
    rest: Vec<f32>,
}

const EPS: f64 = 1e-2;

/// Mean and variance of each layer of each chain.
type OfLayers = Vec<Vec<[Vec<f64>; 2]>>;

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
    fn has_rest(&self) -> bool {
        self.activation == Activation::NONE
    }

    /// All that has a gradient: the rest, the maps, then of each chain its weight, its gate, and of each layer kernel, scale, shift.
    fn arguments(&self) -> Vec<Vec<f64>> {
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
    fn computed(&self, arguments: &[Vec<f64>]) -> (Vec<f64>, OfLayers) {
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

    fn block(&self) -> Block<'_> {
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
        Layer { op, norm, activation: self.activation, is_kept: self.is_kept }
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
        is_kept: true,
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
fn own(seed: u64, size: usize) -> Own {
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
fn odd(seed: u64) -> Own {
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

#[track_caller]
fn agree(name: &str, found: &[f32], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{name}");
    let largest = wanted.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let apart = (f64::from(*found) - wanted).abs() / largest;
        assert!(apart < 1e-4, "{name}[{i}]: {found} for {wanted}");
    }
}

/// What a block comes to: its result, and gradients in the order of [`Own::arguments`].
fn run(own: &Own, processor: Processor<'_>, by_out: &[f32]) -> (Vec<f32>, Kept, Vec<Vec<f32>>) {
    run_wanting(own, processor, by_out, true)
}

/// The same, where the gradients of maps are wanted or not.
fn run_wanting(
    own: &Own,
    processor: Processor<'_>,
    by_out: &[f32],
    is_wanted: bool,
) -> (Vec<f32>, Kept, Vec<Vec<f32>>) {
    let block = own.block();
    let mut out = own.rest.clone();
    let mut kept = forward(processor, &block, own.has_rest(), &mut out);
    let mut by_out = by_out.to_vec();
    let mut by_maps: Vec<Vec<f32>> =
        own.maps.iter().map(|(values, _)| vec![f32::NAN; values.len()]).collect();
    let mut to: Vec<&mut [f32]> = by_maps.iter_mut().map(Vec::as_mut_slice).collect();
    let wanted = vec![is_wanted; own.maps.len()];
    let found = backward(processor, &block, &mut kept, &mut by_out, (&mut to, &wanted));
    let mut all = vec![by_out];
    all.extend(by_maps);
    for (chain, found) in own.chains.iter().zip(found) {
        all.push(if chain.weight.is_some() { found.weight } else { Vec::new() });
        all.push(found.gate);
        for (layer, found) in chain.layers.iter().zip(found.layers) {
            all.push(found.kernel);
            let of = |values: Vec<f32>, own: &[f32]| match layer.is_affine {
                true => values,
                false => vec![0.0; own.len()],
            };
            all.push(of(found.scale, &layer.scale));
            all.push(of(found.shift, &layer.shift));
        }
    }
    (out, kept, all)
}

fn levels() -> impl Strategy<Value = Level> {
    proptest::sample::select(Level::available())
}

/// Runs tasks on threads, in an order that changes.
struct Threads;

impl Pool for Threads {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || (thread..count).step_by(3).rev().for_each(task));
            }
        });
    }
}

/// The same cases each time.
fn config(cases: u32) -> ProptestConfig {
    let failure_persistence = None;
    ProptestConfig { cases, failure_persistence, rng_seed: RngSeed::Fixed(1), ..Default::default() }
}

/// Holds values, moments and gradients of a block against loops in double precision, and differences of these.
fn holds(own: &Own, seed: u64, level: Level) {
    let arguments = own.arguments();
    let by_out = Numbers(!seed).some(own.rest.len());
    let (out, kept, found) = run(own, Processor { level, pool: &Serial }, &by_out);
    let (wanted, moments) = own.computed(&arguments);
    agree("out", &out, &wanted);
    for (chain, of_layers) in moments.iter().enumerate() {
        for (layer, [mean, variance]) in of_layers.iter().enumerate() {
            if own.chains[chain].layers[layer].fixed.is_none() {
                let kept = kept.moments(chain, layer);
                let narrow =
                    |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<f32>>();
                agree("mean", &narrow(&kept.mean), mean);
                agree("variance", &narrow(&kept.variance), variance);
            }
        }
    }
    let by_out = wide(&by_out);
    let loss = |arguments: &[Vec<f64>]| {
        own.computed(arguments).0.iter().zip(&by_out).map(|(x, by)| x * by).sum::<f64>()
    };
    let mut moved = arguments.clone();
    let mut wanted = Vec::new();
    for (which, values) in arguments.iter().enumerate() {
        let mut own = Vec::new();
        for (i, value) in values.iter().enumerate() {
            const STEP: f64 = 1e-6;
            moved[which][i] = value + STEP;
            let above = loss(&moved);
            moved[which][i] = value - STEP;
            let below = loss(&moved);
            moved[which][i] = *value;
            own.push((above - below) / (2.0 * STEP));
        }
        wanted.push(own);
    }
    // Of a channel that is nearly constant, the batch norm multiplies what is rounded.
    let largest = wanted.iter().flatten().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let apart = (f64::from(*found) - wanted).abs() / largest;
            assert!(apart < 1e-4, "gradient {which}[{i}]: {found} for {wanted}, of {largest}");
        }
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn small_blocks_have_the_values_and_gradients_of_their_definition(seed: u64, level in levels()) {
        holds(&own(seed, 1), seed, level);
    }

    #[test]
    fn windows_of_any_sides_have_them(seed: u64, level in levels()) {
        holds(&odd(seed), seed, level);
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn large_blocks_have_the_values_of_their_definition(seed: u64, level in levels()) {
        let own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (out, ..) = run(&own, Processor { level, pool: &Serial }, &by_out);
        agree("out", &out, &own.computed(&own.arguments()).0);
    }

    /// Whether all, none or some of what layers make is kept, which is computed again then.
    #[test]
    fn gradients_do_not_depend_on_what_is_kept(seed: u64, level in levels()) {
        let processor = Processor { level, pool: &Threads };
        let mut own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (wanted, _, by_wanted) = run(&own, processor, &by_out);
        for kept_of_four in [0, 2] {
            let numbers = &mut Numbers(seed);
            for layer in own.chains.iter_mut().flat_map(|chain| &mut chain.layers) {
                layer.is_kept = numbers.below(4) < kept_of_four;
            }
            let (found, _, by_found) = run(&own, processor, &by_out);
            prop_assert_eq!(&found, &wanted);
            prop_assert_eq!(&by_found, &by_wanted);
        }
    }

    /// Those of what is learned do not depend on whether maps have gradients.
    #[test]
    fn gradients_of_maps_need_not_be_wanted(seed: u64, level in levels()) {
        let processor = Processor { level, pool: &Serial };
        let own = own(seed, 3);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (.., wanted) = run(&own, processor, &by_out);
        let (.., found) = run_wanting(&own, processor, &by_out, false);
        let maps = 1..1 + own.maps.len();
        for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            assert!(maps.contains(&which) || found == wanted, "{which}");
        }
    }

    /// Neither on the instructions, but for the last digits, nor at all on the threads.
    #[test]
    fn gradients_do_not_depend_on_what_computes_them(seed: u64) {
        let own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let portable = Processor { level: Level::Portable, pool: &Serial };
        let (_, _, wanted) = run(&own, portable, &by_out);
        for level in Level::available() {
            let (out, _, found) = run(&own, Processor { level, pool: &Serial }, &by_out);
            let (same, _, again) = run(&own, Processor { level, pool: &Threads }, &by_out);
            assert_eq!(out, same);
            assert_eq!(found, again);
            for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                // A value near a bound may come to lie on its other side.
                let apart: f64 = found.iter().zip(wanted).map(|(a, b)| f64::from(a - b).powi(2)).sum();
                let norm: f64 = wanted.iter().map(|&b| f64::from(b).powi(2)).sum();
                assert!(apart.sqrt() <= 1e-2 * norm.sqrt() + 1e-3, "{which}: {apart} of {norm}");
            }
        }
    }
}
