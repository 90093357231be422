//! Every operator against the plain loops; the rewritten convolutions against libtorch's own.

use nas_compiler::ops::signature::Argument;
use nas_compiler::ops::{Conv, Op};
use nas_compiler::shape::Shape;
use nas_compiler::weights::Tensor as Plain;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use super::build::{op, single};
use super::naive::{self, Map};
use crate::dropout::Noise;
use crate::layout::channels_last;
use crate::lower::Statistics;
use crate::network::TorchNetwork;
use crate::parameters::values;
use crate::program::Evaluation;
use crate::random::Moment;

const PAIR: [u32; 2] = [5, 7];

fn random(seed: u64, dims: [usize; 4]) -> Map {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Map::from_fn(dims, |_, _, _, _| rng.random_range(-4.0..8.0))
}

fn tensor(map: &Map) -> Tensor {
    let data: Vec<f32> = map.data.iter().map(|&v| v as f32).collect();
    let dims = map.dims.map(|d| d as i64);
    Tensor::from_slice(&data).view(dims.as_slice())
}

#[track_caller]
fn assert_close(found: &Tensor, expected: &Map) {
    let sizes: Vec<usize> = found.size().iter().map(|&d| d as usize).collect();
    assert_eq!(sizes, expected.dims);
    for (i, (found, expected)) in values(found).unwrap().iter().zip(&expected.data).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 2e-5 * (1.0 + expected.abs()), "element {i}: {found}, not {expected}");
    }
}

/// Runs an operator without parameters on two pictures, in both layouts and both modes, and
/// compares with the loops.
#[track_caller]
fn check(op: Op, inputs: &[Map], expected: &Map) {
    let shape = |map: &Map| {
        let [_, c, h, w] = map.dims.map(|d| d as u32);
        Shape::map(c, h, w)
    };
    let shapes: Vec<Shape> = inputs.iter().map(shape).collect();
    let network = TorchNetwork::new(&single(op, &shapes), 1, Device::Cpu).unwrap();
    let plain: Vec<Tensor> = inputs.iter().map(tensor).collect();
    let last: Vec<Tensor> = plain.iter().map(|x| channels_last(x).unwrap()).collect();
    for (inputs, train) in [(&plain, false), (&last, false), (&last, true)] {
        let before: Vec<Vec<f32>> = inputs.iter().map(|x| values(x).unwrap()).collect();
        assert_close(&network.forward(inputs, train).unwrap()[0], expected);
        let after: Vec<Vec<f32>> = inputs.iter().map(|x| values(x).unwrap()).collect();
        assert_eq!(before, after, "an operator wrote into its operand");
    }
}

fn pair(name: &'static str, [a, b]: [u32; 2]) -> (&'static str, Argument) {
    (name, Argument::Pair([a, b]))
}

#[test]
fn activations() {
    let x = random(1, [2, 3, 4, 5]);
    check(op("relu", &[]), std::slice::from_ref(&x), &x.map(|v| v.max(0.0)));
    check(op("relu6", &[]), std::slice::from_ref(&x), &x.map(|v| v.clamp(0.0, 6.0)));
    check(op("sigmoid", &[]), std::slice::from_ref(&x), &x.map(|v| 1.0 / (1.0 + (-v).exp())));
    let hswish = x.map(|v| v * (v + 3.0).clamp(0.0, 6.0) / 6.0);
    check(op("hswish", &[]), std::slice::from_ref(&x), &hswish);
    let hsigmoid = x.map(|v| (v + 3.0).clamp(0.0, 6.0) / 6.0);
    check(op("hsigmoid", &[]), std::slice::from_ref(&x), &hsigmoid);
    let swish = x.map(|v| v / (1.0 + (-v).exp()));
    check(op("swish", &[]), std::slice::from_ref(&x), &swish);
    check(op("tanh", &[]), std::slice::from_ref(&x), &x.map(f64::tanh));
    let leaky = x.map(|v| if v > 0.0 { v } else { 0.3 * v });
    let slope = ("slope", Argument::Real(0.3));
    check(op("leaky_relu", &[slope]), std::slice::from_ref(&x), &leaky);
    // A slope is 0.25 before training.
    let prelu = x.map(|v| if v > 0.0 { v } else { 0.25 * v });
    check(op("prelu", &[]), std::slice::from_ref(&x), &prelu);
    check(op("identity", &[]), std::slice::from_ref(&x), &x);
    check(op("zero", &[]), std::slice::from_ref(&x), &x.map(|_| 0.0));
}

#[test]
fn sums_products_and_joins() {
    let maps = [1, 2, 3].map(|seed| random(seed, [2, 3, 4, 5]));
    let sum = |n, c, y, x| maps.iter().map(|map| map.at(n, c, y, x)).sum();
    check(op("add", &[]), &maps, &Map::from_fn([2, 3, 4, 5], sum));
    let joined = Map::from_fn([2, 9, 4, 5], |n, c, y, x| maps[c / 3].at(n, c % 3, y, x));
    check(op("concat", &[]), &maps, &joined);
    let [a, b, _] = &maps;
    let gate = random(4, [2, 3, 1, 1]);
    let mask = random(5, [2, 1, 4, 5]);
    let product = Map::from_fn([2, 3, 4, 5], |n, c, y, x| {
        a.at(n, c, y, x) * gate.at(n, c, 0, 0) * mask.at(n, 0, y, x)
    });
    check(op("mul", &[]), &[a.clone(), gate, mask], &product);
    let square = Map::from_fn([2, 3, 4, 5], |n, c, y, x| a.at(n, c, y, x) * b.at(n, c, y, x));
    check(op("mul", &[]), &[a.clone(), b.clone()], &square);
}

#[test]
fn pools_and_crops() {
    let x = random(6, [2, 3, 9, 8]);
    let inputs = std::slice::from_ref(&x);
    for kernel in [[3, 3], [2, 2], [4, 3]] {
        for (padding, stride) in [("same", [1, 1]), ("valid", [2, 2]), ("same", [2, 1])] {
            for ceil in [false, true] {
                let window = [
                    pair("kernel", kernel),
                    pair("stride", stride),
                    ("padding", Argument::Word(padding)),
                    ("ceil", Argument::Flag(ceil)),
                ];
                let max = op("max_pool", &window);
                let Op::MaxPool(pool) = &max else { unreachable!() };
                check(max.clone(), inputs, &naive::max_pool(pool, &x));
                for include in [false, true] {
                    let flag = ("count_include_pad", Argument::Flag(include));
                    let avg = op("avg_pool", &[window.as_slice(), &[flag]].concat());
                    let Op::AvgPool(pool) = &avg else { unreachable!() };
                    check(avg.clone(), inputs, &naive::avg_pool(pool, &x));
                }
            }
        }
    }
    check(op("global_avg_pool", &[]), inputs, &naive::global_avg_pool(&x));
    let sides = [("top", 1), ("left", 2), ("bottom", 0), ("right", 3)];
    let crop = op("crop", &sides.map(|(name, n)| (name, Argument::Count(n))));
    let Op::Crop(how) = &crop else { unreachable!() };
    check(crop.clone(), inputs, &naive::crop(how.0, &x));
    let pad = op("pad", &sides.map(|(name, n)| (name, Argument::Count(n))));
    check(pad, inputs, &naive::pad(how.0, &x));
}

/// As libtorch's own rounding up where the padding is the same on both sides.
#[test]
fn ceil_is_that_of_libtorch() {
    for (size, k, stride, p) in [(9, 3, 2, 1), (10, 3, 2, 0), (8, 3, 2, 1), (7, 2, 3, 1)] {
        let x = random(9, [1, 2, size, size]);
        let same = |n: u32| Argument::Pair([n, n]);
        let window = [
            ("kernel", same(k)),
            ("stride", same(stride)),
            ("padding", same(p)),
            ("ceil", Argument::Flag(true)),
            ("count_include_pad", Argument::Flag(true)),
        ];
        let [kernel, stride, padding] = [k, stride, p].map(|n| [i64::from(n); 2]);
        let max = tensor(&x).max_pool2d(kernel, stride, padding, [1, 1], true);
        let avg = tensor(&x).avg_pool2d(kernel, stride, padding, true, true, None);
        for (op, expected) in [(op("max_pool", &window[..4]), max), (op("avg_pool", &window), avg)]
        {
            let dims: Vec<usize> = expected.size().iter().map(|&d| d as usize).collect();
            let data = values(&expected).unwrap().into_iter().map(f64::from).collect();
            let map = Map { dims: dims.try_into().unwrap(), data };
            check(op, std::slice::from_ref(&x), &map);
        }
    }
}

#[test]
fn unpools() {
    let x = random(10, [2, 3, 7, 9]);
    for (kernel, stride) in [([2, 2], [2, 2]), ([2, 3], [3, 3])] {
        let window = [pair("kernel", kernel), pair("stride", stride)];
        let pool = op("max_pool", &window);
        let Op::MaxPool(how) = &pool else { unreachable!() };
        let values = naive::max_pool(how, &x).map(|v| v * v - 1.0);
        let unpool = op("max_unpool", &window);
        let Op::MaxUnpool(how) = &unpool else { unreachable!() };
        let expected = naive::max_unpool(how, &values, &x);
        check(unpool.clone(), &[values, x.clone()], &expected);
    }
}

#[test]
fn channels() {
    let x = random(11, [2, 12, 4, 5]);
    let inputs = std::slice::from_ref(&x);
    let count = |name, n| (name, Argument::Count(n));
    for groups in [1, 3, 4] {
        let g = groups as usize;
        let expected = Map::from_fn(x.dims, |n, c, y, xx| x.at(n, c % g * (12 / g) + c / g, y, xx));
        check(op("channel_shuffle", &[count("groups", groups)]), inputs, &expected);
    }
    let slice = op("channel_slice", &[count("start", 3), count("end", 8)]);
    let expected = Map::from_fn([2, 5, 4, 5], |n, c, y, xx| x.at(n, c + 3, y, xx));
    check(slice, inputs, &expected);
    let pad = op("channel_pad", &[count("before", 1), count("after", 2)]);
    let expected = Map::from_fn([2, 15, 4, 5], |n, c, y, xx| match c {
        1..13 => x.at(n, c - 1, y, xx),
        _ => 0.0,
    });
    check(pad, inputs, &expected);
    for (kernel, dilation) in [(1, 1), (3, 1), (3, 2)] {
        let shift = op("shift", &[count("kernel", kernel), count("dilation", dilation)]);
        let Op::Shift(how) = &shift else { unreachable!() };
        check(shift.clone(), inputs, &naive::shift(how, &x));
    }
}

/// Vectors, as a classifier ends with.
#[test]
fn vectors() {
    let x = random(12, [2, 3, 4, 5]);
    for layout in [tensor(&x), channels_last(&tensor(&x)).unwrap()] {
        let flatten = single(op("flatten", &[]), &[Shape::map(3, 4, 5)]);
        let network = TorchNetwork::new(&flatten, 1, Device::Cpu).unwrap();
        let vector = &network.forward(&[layout], false).unwrap()[0];
        assert_eq!(vector.size(), [2, 60]);
        assert_eq!(values(vector).unwrap(), values(&tensor(&x)).unwrap());
    }
    let pixel = random(13, [2, 6, 1, 1]);
    for shape in [Shape::map(6, 1, 1), Shape::vector(6)] {
        let linear = single(op("linear", &[("out", Argument::Count(4))]), &[shape]);
        let mut network = TorchNetwork::new(&linear, 1, Device::Cpu).unwrap();
        let mut weights = network.weights().unwrap();
        weights["y.bias"].data = vec![1.0, -1.0, 0.5, 2.0];
        network.load(&weights).unwrap();
        let sizes: Vec<i64> =
            [2].into_iter().chain(shape.dims().iter().map(|&d| d.into())).collect();
        let found = &network.forward(&[tensor(&pixel).view(sizes.as_slice())], false).unwrap()[0];
        assert_eq!(found.size(), [2, 4]);
        let (kernel, bias) = (&weights["y.weight"].data, &weights["y.bias"].data);
        let expected = Map::from_fn([2, 4, 1, 1], |n, o, _, _| {
            let products = (0..6).map(|i| f64::from(kernel[o * 6 + i]) * pixel.at(n, i, 0, 0));
            f64::from(bias[o]) + products.sum::<f64>()
        });
        assert_close(&found.view([2, 4, 1, 1]), &expected);
    }
    let ends = [("start", Argument::Count(1)), ("end", Argument::Count(3))];
    let more = [("before", Argument::Count(1)), ("after", Argument::Count(1))];
    let input = tensor(&random(14, [1, 1, 2, 4])).view([2, 4]);
    let column = |i| input.narrow(1, i, 1);
    let zeros = Tensor::zeros([2, 1], (Kind::Float, Device::Cpu));
    let padded = Tensor::cat(&[&zeros, &input, &zeros], 1);
    for (op, expected) in [
        (op("channel_slice", &ends), Tensor::cat(&[column(1), column(2)], 1)),
        (op("channel_pad", &more), padded),
        (op("prelu", &[]), input.maximum(&(&input * 0.25))),
    ] {
        let network = TorchNetwork::new(&single(op, &[Shape::vector(4)]), 1, Device::Cpu).unwrap();
        let found = &network.forward(&[input.shallow_clone()], false).unwrap()[0];
        assert_eq!(
            (found.size(), values(found).unwrap()),
            (expected.size(), values(&expected).unwrap())
        );
    }
}

/// How often dropouts make zeros, what they set to zero together, and that the seed decides.
#[test]
fn dropouts() {
    let (p, ones) = (0.25, Tensor::ones([64, 16, 6, 5], (Kind::Float, Device::Cpu)));
    for (name, apart) in [("dropout", 4), ("spatial_dropout", 2), ("drop_path", 1)] {
        let dropout = op(name, &[("p", Argument::Real(p))]);
        let network = single(dropout, &[Shape::map(16, 6, 5)]);
        let network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
        let inputs = std::slice::from_ref(&ones);
        let run = |seed: Option<u64>, step: usize| {
            let moment = Moment { choices: false, epoch: 0, step };
            let noise = seed.map(|seed| Noise { seed, moment, drop_path: 1.0 });
            let evaluation = Evaluation { noise, ..network.evaluation(Statistics::Learn) };
            evaluation.run(inputs).unwrap().remove(0)
        };
        assert_eq!(run(None, 0), ones, "{name} acts outside of training");
        let found = run(Some(7), 3);
        assert_eq!(found, run(Some(7), 3));
        assert_ne!(found, run(Some(8), 3));
        assert_ne!(found, run(Some(7), 4));
        let shares = found.flatten(apart.min(3), -1).mean_dim(-1, false, None);
        let count = if apart == 4 { 64 * 16 * 30 } else { shares.numel() };
        let kept = values(&(found * (1.0 - p)).mean(Kind::Float)).unwrap()[0];
        let deviation = (p * (1.0 - p) / count as f64).sqrt();
        assert!((f64::from(kept) - (1.0 - p)).abs() < 4.0 * deviation, "{name} keeps {kept}");
        if apart < 4 {
            let whole = |share: f32| share == 0.0 || (share - 1.0 / 0.75).abs() < 1e-5;
            assert!(values(&shares).unwrap().into_iter().all(whole), "{name} drops parts");
        }
    }
}

#[test]
fn resizes() {
    let x = random(7, [2, 3, 5, 7]);
    for (to, size) in [
        (pair("size", [11, 9]), [11, 9]),
        (pair("size", [3, 4]), [3, 4]),
        (pair("scale", [2, 3]), [10, 21]),
    ] {
        for (mode, align) in [("bilinear", false), ("bilinear", true), ("nearest", false)] {
            let how = [("mode", Argument::Word(mode)), ("align_corners", Argument::Flag(align))];
            let resize = op("resize", &[to, how[0], how[1]]);
            let Op::Resize(how) = &resize else { unreachable!() };
            let expected = naive::resize(how, &x, size);
            check(resize.clone(), std::slice::from_ref(&x), &expected);
        }
    }
}

fn convolution(given: &[(&'static str, Argument)]) -> (Op, Conv) {
    let op = op("conv", given);
    let Op::Conv(conv) = &op else { unreachable!() };
    (op.clone(), *conv)
}

#[test]
fn convolutions() {
    let count = |name, n| (name, Argument::Count(n));
    let cases = [
        [
            count("out", 6),
            pair("kernel", [3, 3]),
            count("stride", 1),
            count("groups", 1),
            count("dilation", 1),
        ],
        [
            count("out", 6),
            pair("kernel", [2, 4]),
            count("stride", 1),
            count("groups", 2),
            count("dilation", 1),
        ],
        [
            count("out", 4),
            pair("kernel", [3, 1]),
            count("stride", 2),
            count("groups", 4),
            count("dilation", 1),
        ],
        [
            count("out", 4),
            pair("kernel", [3, 3]),
            count("stride", 1),
            count("groups", 4),
            count("dilation", 2),
        ],
        [
            count("out", 4),
            pair("kernel", [5, 3]),
            count("stride", 2),
            count("groups", 4),
            count("dilation", 2),
        ],
        [
            count("out", 8),
            pair("kernel", [1, 1]),
            count("stride", 2),
            count("groups", 2),
            count("dilation", 1),
        ],
    ];
    let x = random(8, [2, 4, 8, 10]);
    for (case, given) in cases.iter().enumerate() {
        let bias = ("bias", Argument::Flag(case % 2 == 0));
        let (op, conv) = convolution(&[given.as_slice(), &[bias]].concat());
        let mut network =
            TorchNetwork::new(&single(op, &[Shape::map(4, 8, 10)]), 1, Device::Cpu).unwrap();
        let mut weights = network.weights().unwrap();
        if let Some(bias) = weights.get_mut("y.bias") {
            bias.data = (0..bias.data.len()).map(|i| i as f32 - 1.5).collect();
        }
        network.load(&weights).unwrap();
        let double = |name: &str| -> Vec<f64> {
            let tensor = weights.get(name);
            tensor.map(|t| t.data.iter().map(|&v| f64::from(v)).collect()).unwrap_or_default()
        };
        let expected = naive::conv(&conv, &x, &double("y.weight"), &double("y.bias"));
        let input = channels_last(&tensor(&x)).unwrap();
        assert_close(&network.forward(&[tensor(&x)], false).unwrap()[0], &expected);
        network.parameters.require_gradients(true).unwrap();
        assert_close(&network.forward(&[input], true).unwrap()[0], &expected);
    }
}

#[test]
fn transposed_convolutions() {
    let count = |name, n| (name, Argument::Count(n));
    let sides = Argument::Sides { before: [0, 2], after: [1, 0] };
    let cases = [
        vec![pair("kernel", [3, 3]), pair("stride", [2, 2]), pair("output_padding", [1, 1])],
        vec![pair("kernel", [2, 2]), pair("stride", [2, 2]), ("padding", Argument::Word("valid"))],
        vec![pair("kernel", [2, 4]), pair("stride", [1, 3]), count("groups", 2)],
        vec![pair("kernel", [3, 3]), pair("stride", [2, 1]), ("padding", sides)],
        vec![pair("kernel", [3, 2]), pair("dilation", [2, 3]), count("groups", 4)],
    ];
    let x = random(15, [2, 4, 5, 6]);
    for (case, given) in cases.into_iter().enumerate() {
        let bias = ("bias", Argument::Flag(case % 2 == 0));
        let op = op("conv_transpose", &[given.as_slice(), &[count("out", 8), bias]].concat());
        let Op::ConvTranspose(how) = op.clone() else { unreachable!() };
        let mut network =
            TorchNetwork::new(&single(op, &[Shape::map(4, 5, 6)]), 1, Device::Cpu).unwrap();
        let mut weights = network.weights().unwrap();
        if let Some(bias) = weights.get_mut("y.bias") {
            bias.data = (0..bias.data.len()).map(|i| i as f32 - 1.5).collect();
        }
        network.load(&weights).unwrap();
        let double = |name: &str| -> Vec<f64> {
            let tensor = weights.get(name);
            tensor.map(|t| t.data.iter().map(|&v| f64::from(v)).collect()).unwrap_or_default()
        };
        let expected = naive::conv_transpose(&how, &x, &double("y.weight"), &double("y.bias"));
        for input in [tensor(&x), channels_last(&tensor(&x)).unwrap()] {
            assert_close(&network.forward(&[input], false).unwrap()[0], &expected);
        }
    }
}

/// What the module replaces for speed has the values and gradients of what it replaces.
#[test]
fn dilated_depthwise_convolutions() {
    for (stride, h, w) in [(1, 8, 12), (3, 9, 10), (3, 8, 8), (1, 9, 12)] {
        for dilation in [2, 3] {
            let given = [
                ("out", Argument::Count(4)),
                pair("kernel", [3, 5]),
                ("stride", Argument::Count(stride)),
                ("groups", Argument::Count(4)),
                ("dilation", Argument::Count(dilation)),
            ];
            let (_, conv) = convolution(&given);
            let options = (Kind::Double, Device::Cpu);
            let x = channels_last(&Tensor::randn([2, 4, h, w], options)).unwrap();
            let (x, kernel) = (x.set_requires_grad(true), Tensor::randn([4, 1, 3, 5], options));
            let kernel = kernel.set_requires_grad(true);
            let d = i64::from(dilation);
            let (stride, padding) = (i64::from(stride), [d, 2 * d]);
            let direct = x.conv2d(&kernel, None::<Tensor>, stride, padding, d, 4);
            let ours = crate::convolution::conv(&conv, &x, &kernel, None).unwrap();
            let cotangent = Tensor::randn(direct.size(), options);
            let gradients = |y: &Tensor| {
                Tensor::run_backward(
                    &[(y * &cotangent).sum(Kind::Double)],
                    &[&x, &kernel],
                    false,
                    false,
                )
            };
            assert!(direct.allclose(&ours, 1e-9, 1e-9, false));
            for (a, b) in gradients(&direct).iter().zip(gradients(&ours)) {
                assert!(a.allclose(&b, 1e-9, 1e-9, false));
            }
        }
    }
}

#[test]
fn batch_norm_learns_and_uses_running_statistics() {
    let norm =
        op("batch_norm", &[("momentum", Argument::Real(0.3)), ("eps", Argument::Real(0.01))]);
    let Op::BatchNorm(how) = &norm else { unreachable!() };
    let mut network =
        TorchNetwork::new(&single(norm.clone(), &[Shape::map(3, 5, 7)]), 1, Device::Cpu).unwrap();
    let mut weights = network.weights().unwrap();
    weights.insert("y.weight".into(), Plain { dims: vec![3], data: vec![1.0, -2.0, 0.5] });
    weights.insert("y.bias".into(), Plain { dims: vec![3], data: vec![0.0, 1.0, -1.0] });
    network.load(&weights).unwrap();
    let (scale, shift) = ([1.0, -2.0, 0.5], [0.0, 1.0, -1.0]);
    let [h, w] = PAIR.map(|d| d as usize);
    let mut running = vec![(0.0, 1.0); 3];
    for seed in 0..3 {
        let x = random(seed, [4, 3, h, w]);
        let input = channels_last(&tensor(&x)).unwrap();
        let batch = naive::moments(&x);
        let trained = network.forward(std::slice::from_ref(&input), true).unwrap();
        assert_close(&trained[0], &naive::batch_norm(how, &x, &batch, &scale, &shift));
        let count = (4 * h * w) as f64;
        for (running, (mean, variance)) in running.iter_mut().zip(batch) {
            running.0 = 0.7 * running.0 + 0.3 * mean;
            running.1 = 0.7 * running.1 + 0.3 * variance * count / (count - 1.0);
        }
        let evaluated = network.forward(&[input], false).unwrap();
        assert_close(&evaluated[0], &naive::batch_norm(how, &x, &running, &scale, &shift));
    }
    let weights = network.weights().unwrap();
    for (found, (mean, _)) in weights["y.running_mean"].data.iter().zip(&running) {
        assert!((f64::from(*found) - mean).abs() < 1e-5);
    }
}

#[test]
fn batch_norm_without_scale_and_shift() {
    let norm = op("batch_norm", &[("affine", Argument::Flag(false))]);
    let Op::BatchNorm(how) = &norm else { unreachable!() };
    let network = single(norm.clone(), &[Shape::map(3, 5, 7)]);
    let network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
    assert_eq!(
        network.weights().unwrap().keys().collect::<Vec<_>>(),
        ["y.running_mean", "y.running_var"]
    );
    let x = random(16, [4, 3, 5, 7]);
    let (ones, zeros) = ([1.0; 3], [0.0; 3]);
    let trained = network.forward(&[tensor(&x)], true).unwrap();
    let moments = naive::moments(&x);
    assert_close(&trained[0], &naive::batch_norm(how, &x, &moments, &ones, &zeros));
}
