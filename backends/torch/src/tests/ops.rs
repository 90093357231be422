//! What operators do beside computing what they are defined as: rounding as libtorch rounds,
//! dropping, learning statistics, and convolutions that stand for others.

use nas_cases::networks::{single, with_weights};
use nas_cases::reference;
use nas_ir::ops::Role;
use nas_ir::ops::signature::Argument;
use nas_ir::{Op, Shape, Tensor as Plain, TensorName};
use tch::{Device, Kind, Tensor};

use super::build::op;
use super::gradients::{picture, random};
use crate::evaluation::Evaluation;
use crate::fused;
use crate::kernel::{Call, Kernel, Noise};
use crate::layout::channels_last;
use crate::layout::values;
use crate::network::TorchNetwork;
use crate::program::OpCase;
use crate::random::Moment;
use crate::statistics::Statistics;
use crate::value::{Operands, Pictures, Value};

fn pair(name: &'static str, [a, b]: [u32; 2]) -> (&'static str, Argument) {
    (name, Argument::Pair([a, b]))
}

/// Rounding up is that of libtorch where the padding is the same on both sides.
#[test]
fn ceil_is_that_of_libtorch() {
    for (size, k, stride, p) in [(9, 3, 2, 1), (10, 3, 2, 0), (8, 3, 2, 1), (7, 2, 3, 1)] {
        let x = random(9, &[1, 2, size, size]).to_kind(Kind::Float);
        let same = |n: u32| Argument::Pair([n, n]);
        let window = [
            ("kernel", same(k)),
            ("stride", same(stride)),
            ("padding", same(p)),
            ("ceil", Argument::Flag(true)),
            ("count_include_pad", Argument::Flag(true)),
        ];
        let [kernel, stride, padding] = [k, stride, p].map(|n| [i64::from(n); 2]);
        let max = x.max_pool2d(kernel, stride, padding, [1, 1], true);
        let avg = x.avg_pool2d(kernel, stride, padding, true, true, None);
        for (op, expected) in [(op("max_pool", &window[..4]), max), (op("avg_pool", &window), avg)]
        {
            let network = single(op, &[Shape::from([2, size as u32, size as u32])]);
            let network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
            let found = &network.forward(std::slice::from_ref(&x), false).unwrap()[0];
            assert!(found.allclose(&expected, 1e-6, 1e-6, false), "{size} {k} {stride:?} {p}");
        }
    }
}

/// How often dropouts make zeros, what they set to zero together, and that the seed decides.
#[test]
fn dropouts() {
    let (p, ones) = (0.25, Tensor::ones([64, 16, 6, 5], (Kind::Float, Device::Cpu)));
    for (name, apart) in [("dropout", 4), ("spatial_dropout", 2), ("drop_path", 1)] {
        let dropout = op(name, &[("p", Argument::Real(p))]);
        let network = single(dropout, &[Shape::from([16, 6, 5])]);
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

/// The value of a convolution by the kernel that is planned for it.
fn convolution(op: Op, x: &Tensor, kernel: &Tensor) -> Tensor {
    let &[_, c, h, w] = x.size().as_slice() else { unreachable!() };
    let inputs = vec![Shape::from([c as u32, h as u32, w as u32])];
    let output = op.shape(&inputs).unwrap();
    let case = OpCase { op, inputs, output, weights: Vec::new() };
    let kernels = [kernel.shallow_clone()];
    let pictures = Pictures { count: 2, crop: None, device: Device::Cpu, kind: x.kind() };
    let values = vec![Value::kept(x.shallow_clone())];
    let operands = Operands { values, shapes: &case.inputs, pictures: &pictures };
    let statistics = Statistics::Batch;
    let call =
        Call { node: "", pictures: &pictures, statistics, noise: None, role: fused::Role::Alone };
    let planned = Kernel::of(&case, Device::Cpu).unwrap();
    match planned.run(operands, &kernels, &call).unwrap() {
        Value::Tensor { tensor, .. } => tensor,
        _ => panic!("a convolution of zeros"),
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
            let conv = op("conv", &given);
            let options = (Kind::Double, Device::Cpu);
            let x = channels_last(&Tensor::randn([2, 4, h, w], options)).unwrap();
            let (x, kernel) = (x.set_requires_grad(true), Tensor::randn([4, 1, 3, 5], options));
            let kernel = kernel.set_requires_grad(true);
            let d = i64::from(dilation);
            let (stride, padding) = (i64::from(stride), [d, 2 * d]);
            let direct = x.conv2d(&kernel, None::<Tensor>, stride, padding, d, 4);
            let ours = convolution(conv, &x, &kernel);
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

/// Mean and biased variance of each channel of `[N, C, H, W]`.
fn moments(x: &Tensor) -> [Vec<f32>; 2] {
    let of_channels = x.transpose(0, 1).flatten(1, -1);
    let mean = of_channels.mean_dim(1, false, None);
    [mean, of_channels.var_dim(1, false, false)].map(|moment| values(&moment).unwrap())
}

/// In training batch norm takes the moments of the batch, and the running ones move towards them,
/// the variance without its bias; in evaluation it takes the running ones.
#[test]
fn batch_norm_learns_and_uses_running_statistics() {
    const SIZES: [i64; 4] = [4, 3, 5, 7];
    for affine in [false, true] {
        let momentum = ("momentum", Argument::Real(0.3));
        let norm = op("batch_norm", &[momentum, ("affine", Argument::Flag(affine))]);
        let network = single(norm, &[Shape::from([3, 5, 7])]);
        let mut trained = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
        let mut model = with_weights(&network);
        trained.load(&model.weights).unwrap();
        let [running_mean, running_variance] = [Role::RunningMean, Role::RunningVariance]
            .map(|role| TensorName::new("op.0", role).to_string());
        for seed in 0..3 {
            let x = random(seed, &SIZES).to_kind(Kind::Float);
            let x = channels_last(&x).unwrap();
            let [mean, variance] = moments(&x);
            let mut with = |mean: Vec<f32>, variance: Vec<f32>| {
                for (name, data) in [(&running_mean, mean), (&running_variance, variance)] {
                    model.weights.insert(name.clone(), Plain::of_floats([3], data));
                }
                let pictures = (0..SIZES[0]).map(|n| {
                    let output = reference::run(&model, &[picture(&x, n)]).remove(0);
                    output.into_floats().unwrap()
                });
                let expected: Vec<f32> = pictures.flatten().collect();
                Tensor::from_slice(&expected).view(SIZES)
            };
            let old = trained.weights().unwrap();
            let by_batch = with(mean.clone(), variance.clone());
            let found = trained.forward(std::slice::from_ref(&x), true).unwrap().remove(0);
            assert!(found.allclose(&by_batch, 1e-4, 1e-5, false), "by the batch");

            let count = (SIZES[0] * SIZES[2] * SIZES[3]) as f32;
            let unbiased = variance.iter().map(|v| v * count / (count - 1.0)).collect::<Vec<_>>();
            let moved = |name: &String, towards: &[f32]| -> Vec<f32> {
                let old = old[name].floats().unwrap().iter();
                old.zip(towards).map(|(old, new)| 0.7 * old + 0.3 * new).collect()
            };
            let running = with(moved(&running_mean, &mean), moved(&running_variance, &unbiased));
            let found = trained.forward(&[x], false).unwrap().remove(0);
            assert!(found.allclose(&running, 1e-4, 1e-5, false), "by the running moments");
        }
    }
}
