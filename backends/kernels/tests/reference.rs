//! Kernels against loops in double precision, and their gradients against differences of these, over small shapes and in
//! each set of instructions that there is.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use nas_kernels::*;
use proptest::prelude::*;

/// Numbers that look random, of a seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 24) as f32) * 2.0 - 1.0
    }

    fn some(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// `clamp(scale * x + shift)` of rows.
fn normalised(x: &[f64], scale: &[f64], shift: &[f64], clamp: Clamp) -> Vec<f64> {
    let channels = scale.len();
    let value = |(i, x): (usize, &f64)| {
        let channel = i % channels;
        (x * scale[channel] + shift[channel]).max(clamp.least.into()).min(clamp.most.into())
    };
    x.iter().enumerate().map(value).collect()
}

fn pointwise_of(x: &[f64], kernel: &[f64], shape: Kernel<'_>) -> Vec<f64> {
    let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
    let mut out = Vec::new();
    for row in x.chunks_exact(shape.inputs) {
        for output in 0..shape.outputs {
            let first = output / outputs * inputs;
            let own = &kernel[output * inputs..][..inputs];
            out.push(own.iter().zip(&row[first..]).map(|(w, x)| w * x).sum());
        }
    }
    out
}

fn depthwise_of(x: &[f64], kernel: &[f64], from: Map, window: Window) -> Vec<f64> {
    let to = window.of(from).unwrap();
    let mut out = vec![0.0; to.len()];
    for image in 0..to.images {
        for y in 0..to.height {
            for x_out in 0..to.width {
                for channel in 0..to.channels {
                    let mut sum = 0.0;
                    for ky in 0..window.kernel[0] {
                        for kx in 0..window.kernel[1] {
                            let row = (y * window.stride[0] + ky * window.dilation[0])
                                .checked_sub(window.before[0]);
                            let column = (x_out * window.stride[1] + kx * window.dilation[1])
                                .checked_sub(window.before[1]);
                            let (Some(row), Some(column)) = (row, column) else { continue };
                            if row >= from.height || column >= from.width {
                                continue;
                            }
                            let pixel = (image * from.height + row) * from.width + column;
                            let tap = ky * window.kernel[1] + kx;
                            sum += x[pixel * from.channels + channel]
                                * kernel[channel * window.taps() + tap];
                        }
                    }
                    let pixel = (image * to.height + y) * to.width + x_out;
                    out[pixel * to.channels + channel] = sum;
                }
            }
        }
    }
    out
}

fn moments_of(x: &[f64], channels: usize) -> [Vec<f64>; 2] {
    let rows = x.len() / channels;
    let mean: Vec<f64> = (0..channels)
        .map(|c| x.iter().skip(c).step_by(channels).sum::<f64>() / rows as f64)
        .collect();
    let variance = (0..channels).map(|c| {
        let own = x.iter().skip(c).step_by(channels);
        own.map(|x| (x - mean[c]).powi(2)).sum::<f64>() / rows as f64
    });
    let variance = variance.collect();
    [mean, variance]
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The gradient of `loss` with respect to the elements of one of its arguments, by differences.
fn differences(arguments: &[Vec<f64>], which: usize, loss: &dyn Fn(&[Vec<f64>]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-6;
    let mut moved = arguments.to_vec();
    (0..arguments[which].len())
        .map(|i| {
            let value = arguments[which][i];
            moved[which][i] = value + STEP;
            let above = loss(&moved);
            moved[which][i] = value - STEP;
            let below = loss(&moved);
            moved[which][i] = value;
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

#[track_caller]
fn agree(name: &str, found: &[f32], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{name}");
    let largest = wanted.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let apart = (f64::from(*found) - wanted).abs() / largest;
        assert!(apart < 2e-5, "{name}[{i}]: {found} for {wanted}");
    }
}

fn clamps() -> impl Strategy<Value = Clamp> {
    let narrow = Clamp { least: -0.3, most: 0.4 };
    prop_oneof![Just(Clamp::NONE), Just(Clamp::RELU), Just(narrow)]
}

fn levels() -> impl Strategy<Value = Level> {
    proptest::sample::select(Level::available())
}

fn windows() -> impl Strategy<Value = Window> {
    let side = || (1..=5usize, 1..=3usize, 1..=2usize, 0..=3usize, 0..=3usize);
    (side(), side()).prop_map(|(rows, columns)| {
        let both = [rows, columns];
        Window {
            kernel: both.map(|side| side.0),
            stride: both.map(|side| side.1),
            dilation: both.map(|side| side.2),
            before: both.map(|side| side.3),
            after: both.map(|side| side.4),
        }
    })
}

/// What a raw result and its moments count in a loss: weights of each.
struct Loss {
    direct: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
}

impl Loss {
    fn new(numbers: &mut Numbers, elements: usize, channels: usize) -> Self {
        Self {
            direct: numbers.some(elements),
            mean: numbers.some(channels),
            variance: numbers.some(channels),
        }
    }

    fn of(&self, raw: &[f64]) -> f64 {
        let [mean, variance] = moments_of(raw, self.mean.len());
        dot(raw, &wide(&self.direct))
            + dot(&mean, &wide(&self.mean))
            + dot(&variance, &wide(&self.variance))
    }

    fn through(&self, moments: &Moments) -> [Vec<f32>; 2] {
        let count = self.direct.len() / self.mean.len();
        through_moments(moments, &self.mean, &self.variance, count)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn pointwise_convolutions(
        seed: u64, level in levels(), clamp in clamps(),
        rows in 1..220usize, inputs in 1..5usize, outputs in 1..5usize, groups in 1..3usize, large: bool,
    ) {
        let numbers = &mut Numbers(seed);
        // Differences are slow: what is large is compared by its values alone.
        let [inputs, outputs] = [inputs, outputs].map(|n| n * groups * if large { 13 } else { 1 });
        let rows = if large { rows } else { rows.min(7) };
        let (x, scale, shift) = (numbers.some(rows * inputs), numbers.some(inputs), numbers.some(inputs));
        let weights = numbers.some(outputs * inputs / groups);
        let kernel = Kernel { values: &weights, inputs, outputs, groups };
        let norm = Norm { scale: &scale, shift: &shift, clamp };
        let processor = Processor { level, pool: &Serial };
        let (raw, moments) = pointwise(processor, &x, norm, kernel);
        let arguments = [wide(&x), wide(&scale), wide(&shift), wide(&weights)];
        let result = |arguments: &[Vec<f64>]| {
            let x = normalised(&arguments[0], &arguments[1], &arguments[2], clamp);
            pointwise_of(&x, &arguments[3], kernel)
        };
        let wanted = result(&arguments);
        agree("raw", &raw, &wanted);
        let [mean, variance] = moments_of(&wanted, outputs);
        agree("mean", &moments.mean, &mean);
        agree("variance", &moments.variance, &variance);
        if large {
            return Ok(());
        }
        let loss = Loss::new(numbers, raw.len(), outputs);
        let [constant, slope] = loss.through(&moments);
        let of = Raw { values: &raw, direct: &loss.direct, constant: &constant, slope: &slope };
        let found = pointwise_backward(processor, &x, norm, kernel, of);
        let loss = |arguments: &[Vec<f64>]| loss.of(&result(arguments));
        for (which, (name, found)) in [
            ("input", &found.input), ("scale", &found.scale), ("shift", &found.shift), ("kernel", &found.kernel),
        ].into_iter().enumerate() {
            agree(name, found, &differences(&arguments, which, &loss));
        }
    }

    #[test]
    fn depthwise_convolutions(
        seed: u64, level in levels(), clamp in clamps(), window in windows(),
        images in 1..3usize, height in 1..7usize, width in 1..11usize, channels in 1..4usize, large: bool,
    ) {
        let numbers = &mut Numbers(seed);
        let times = if large { 4 } else { 1 };
        let from = Map { images, height: height * times, width: width * times, channels: channels * if large { 17 } else { 1 } };
        prop_assume!(window.of(from).is_some());
        let channels = from.channels;
        let (x, scale, shift) = (numbers.some(from.len()), numbers.some(channels), numbers.some(channels));
        let taps = numbers.some(channels * window.taps());
        let processor = Processor { level, pool: &Serial };
        let norm = Norm { scale: &scale, shift: &shift, clamp };
        let of = Depthwise { from, window, kernel: &taps, norm, source: Source::Stored(&x) };
        let (raw, moments) = depthwise(processor, of);
        let arguments = [wide(&x), wide(&scale), wide(&shift), wide(&taps)];
        let result = |arguments: &[Vec<f64>]| {
            let x = normalised(&arguments[0], &arguments[1], &arguments[2], clamp);
            depthwise_of(&x, &arguments[3], from, window)
        };
        let wanted = result(&arguments);
        agree("raw", &raw, &wanted);
        let [mean, variance] = moments_of(&wanted, channels);
        agree("mean", &moments.mean, &mean);
        agree("variance", &moments.variance, &variance);
        if large {
            return Ok(());
        }
        let loss = Loss::new(numbers, raw.len(), channels);
        let [constant, slope] = loss.through(&moments);
        let grad = Raw { values: &raw, direct: &loss.direct, constant: &constant, slope: &slope };
        let found = depthwise_backward(processor, of, grad);
        let loss = |arguments: &[Vec<f64>]| loss.of(&result(arguments));
        for (which, (name, found)) in [
            ("input", &found.input), ("scale", &found.scale), ("shift", &found.shift), ("kernel", &found.kernel),
        ].into_iter().enumerate() {
            agree(name, found, &differences(&arguments, which, &loss));
        }
    }

    /// What is expanded on the way is what a 1x1 convolution makes, forward and backward.
    #[test]
    fn expanded_channels_are_those_of_a_pointwise_convolution(
        seed: u64, level in levels(), clamp in clamps(), window in windows(),
        images in 1..3usize, height in 1..20usize, width in 1..40usize, inputs in 1..24usize, expand in 1..4usize,
        grouped: bool,
    ) {
        let numbers = &mut Numbers(seed);
        let groups = if grouped { 2 } else { 1 };
        let (inputs, outputs) = (inputs * groups, inputs * groups * expand);
        let from = Map { images, height, width, channels: outputs };
        prop_assume!(window.of(from).is_some());
        let maps = numbers.some(from.pixels() * inputs);
        let weights = numbers.some(outputs * inputs / groups);
        let (scale, shift) = (numbers.some(outputs), numbers.some(outputs));
        let taps = numbers.some(outputs * window.taps());
        let processor = Processor { level, pool: &Serial };
        let kernel = Kernel { values: &weights, inputs, outputs, groups };
        let norm = Norm { scale: &scale, shift: &shift, clamp };
        let (ones, zeros) = (vec![1.0; inputs], vec![0.0; inputs]);
        let plain = Norm { scale: &ones, shift: &zeros, clamp: Clamp::NONE };
        let (hidden, _) = pointwise(processor, &maps, plain, kernel);
        let stored = Depthwise { from, window, kernel: &taps, norm, source: Source::Stored(&hidden) };
        let expanded = Depthwise { source: Source::Expanded { map: &maps, kernel }, ..stored };
        let (raw, moments) = depthwise(processor, expanded);
        let (wanted, of_stored) = depthwise(processor, stored);
        agree("raw", &raw, &wide(&wanted));
        agree("variance", &moments.variance, &wide(&of_stored.variance));
        let loss = Loss::new(numbers, raw.len(), outputs);
        let [constant, slope] = loss.through(&moments);
        let of = Raw { values: &raw, direct: &loss.direct, constant: &constant, slope: &slope };
        let found = depthwise_backward(processor, expanded, of);
        let of_stored = depthwise_backward(processor, stored, of);
        agree("scale", &found.scale, &wide(&of_stored.scale));
        agree("shift", &found.shift, &wide(&of_stored.shift));
        agree("kernel", &found.kernel, &wide(&of_stored.kernel));
        let zeros_out = vec![0.0; outputs];
        let through = Raw {
            values: &hidden, direct: &of_stored.input, constant: &zeros_out, slope: &zeros_out,
        };
        let wanted = pointwise_backward(processor, &maps, plain, kernel, through);
        agree("maps", &found.input, &wide(&wanted.input));
        agree("expansion", &found.expansion, &wide(&wanted.kernel));
    }

    #[test]
    fn covariances(
        seed: u64, level in levels(), rows in 2..40usize, inputs in 1..5usize, outputs in 1..5usize, groups in 1..3usize,
    ) {
        let numbers = &mut Numbers(seed);
        let (inputs, outputs) = (inputs * groups, outputs * groups);
        let maps: Vec<f32> = numbers.some(rows * inputs).iter().map(|x| x + 3.0).collect();
        let weights = numbers.some(outputs * inputs / groups);
        let kernel = Kernel { values: &weights, inputs, outputs, groups };
        let processor = Processor { level, pool: &Serial };
        let found = covariance(processor, &maps, inputs);
        let moments = found.moments(kernel);
        let arguments = [wide(&maps), wide(&weights)];
        let result = |arguments: &[Vec<f64>]| {
            moments_of(&pointwise_of(&arguments[0], &arguments[1], kernel), outputs)
        };
        let [mean, variance] = result(&arguments);
        agree("mean", &moments.mean, &mean);
        agree("variance", &moments.variance, &variance);
        let [by_mean, by_variance] = [numbers.some(outputs), numbers.some(outputs)];
        let (mut to_mean, mut to_matrix) = (vec![0.0; inputs], vec![0.0; inputs * inputs]);
        let mut to_kernel = vec![0.0; weights.len()];
        found.moments_backward(
            kernel, [&by_mean, &by_variance], [&mut to_mean, &mut to_matrix, &mut to_kernel],
        );
        let mut by_maps = vec![0.0; maps.len()];
        covariance_backward(processor, &maps, &found, &to_mean, &to_matrix, &mut by_maps);
        let loss = |arguments: &[Vec<f64>]| {
            let [mean, variance] = result(arguments);
            dot(&mean, &wide(&by_mean)) + dot(&variance, &wide(&by_variance))
        };
        agree("maps", &by_maps, &differences(&arguments, 0, &loss));
        agree("kernel", &to_kernel, &differences(&arguments, 1, &loss));
    }

    #[test]
    fn sums(
        seed: u64, level in levels(), clamp in clamps(), images in 1..3usize, side in 1..4usize, channels in 1..20usize,
        count in 1..4usize, weighted: bool,
    ) {
        let numbers = &mut Numbers(seed);
        let map = Map { images, height: side, width: side + 1, channels };
        let rest = numbers.some(map.len());
        let made: Vec<[Vec<f32>; 4]> = (0..count)
            .map(|_| [numbers.some(map.len()), numbers.some(channels), numbers.some(channels), numbers.some(images)])
            .collect();
        let terms: Vec<Term<'_>> = made
            .iter()
            .map(|[values, scale, shift, weight]| Term { values, scale, shift, weight: weighted.then_some(weight) })
            .collect();
        let processor = Processor { level, pool: &Serial };
        let mut out = rest.clone();
        sum_into(processor, map, &terms, clamp, &mut out);
        let pixels = side * (side + 1);
        let result = |arguments: &[Vec<f64>]| {
            let mut sums = arguments[0].clone();
            for term in arguments[1..].chunks_exact(4) {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let (channel, image) = (i % channels, i / channels / pixels);
                    let weight = if weighted { term[3][image] } else { 1.0 };
                    *sum += weight * (term[0][i] * term[1][channel] + term[2][channel]);
                }
            }
            sums.iter().map(|&sum| sum.max(clamp.least.into()).min(clamp.most.into())).collect::<Vec<f64>>()
        };
        let mut arguments = vec![wide(&rest)];
        arguments.extend(made.iter().flatten().map(|values| wide(values)));
        agree("sum", &out, &result(&arguments));
        let direct = numbers.some(map.len());
        let mut by_sum = direct.clone();
        let mut values = vec![vec![0.0; map.len()]; count];
        let mut to: Vec<&mut [f32]> = values.iter_mut().map(Vec::as_mut_slice).collect();
        let found = sum_backward(processor, map, &terms, Some((clamp, &out)), &mut by_sum, &mut to);
        let loss = |arguments: &[Vec<f64>]| dot(&result(arguments), &wide(&direct));
        agree("rest", &by_sum, &differences(&arguments, 0, &loss));
        for (i, found) in found.iter().enumerate() {
            let first = 1 + 4 * i;
            agree("values", &values[i], &differences(&arguments, first, &loss));
            agree("scale", &found.scale, &differences(&arguments, first + 1, &loss));
            agree("shift", &found.shift, &differences(&arguments, first + 2, &loss));
            if weighted {
                agree("weight", &found.weight, &differences(&arguments, first + 3, &loss));
            }
        }
    }
}
