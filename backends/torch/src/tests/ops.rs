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
use crate::layout::channels_last;
use crate::network::TorchNetwork;
use crate::parameters::values;

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
            let window = [
                pair("kernel", kernel),
                pair("stride", stride),
                ("padding", Argument::Word(padding)),
            ];
            let max = op("max_pool", &window);
            let Op::MaxPool(pool) = &max else { unreachable!() };
            check(max.clone(), inputs, &naive::max_pool(pool, &x));
            for include in [false, true] {
                let flag = ("count_include_pad", Argument::Flag(include));
                let avg = op("avg_pool", &[window[0], window[1], window[2], flag]);
                let Op::AvgPool(pool) = &avg else { unreachable!() };
                check(avg.clone(), inputs, &naive::avg_pool(pool, &x));
            }
        }
    }
    check(op("global_avg_pool", &[]), inputs, &naive::global_avg_pool(&x));
    let sides = [("top", 1), ("left", 2), ("bottom", 0), ("right", 3)];
    let crop = op("crop", &sides.map(|(name, n)| (name, Argument::Count(n))));
    let Op::Crop(how) = &crop else { unreachable!() };
    check(crop.clone(), inputs, &naive::crop(how, &x));
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
