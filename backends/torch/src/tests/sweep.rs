//! Gradients in single precision, channels last, as training computes them, against the same in
//! double precision, row-major: libtorch has kernels of its own for the first, some of which are
//! wrong at shapes that few networks have, or write beyond their memory. So a sweep runs in a process
//! of its own, which goes on after the case at which one ended.
//!
//! Some cases run with all tests. All of them:
//!
//!     cargo test -p nas-torch -- --ignored every_small_shape --nocapture

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nas_cases::cases;
use nas_cases::networks::{VALID, conv, groups, same, single, with_weights};
use nas_ir::ops::{AvgPool, BatchNorm, Conv, ConvTranspose, Linear, MaxPool, Pool};
use nas_ir::{Network, Op, Shape};
use tch::{Device, Kind, Tensor};

use super::gradients::random;
use crate::layout::channels_last;
use crate::network::TorchNetwork;
use crate::statistics::Statistics;

/// The case that a child begins with.
const FIRST: &str = "NASC_SWEEP";
/// Its number of threads.
const THREADS: &str = "NASC_SWEEP_THREADS";

/// A network of a few operators, and how many pictures it is given.
struct Case {
    name: String,
    network: Network,
    batch: i64,
}

/// What a sweep goes through.
struct Grid {
    channels: &'static [u32],
    outs: &'static [u32],
    kernels: &'static [[u32; 2]],
    strides: &'static [[u32; 2]],
    dilations: &'static [u32],
    sizes: &'static [[u32; 2]],
    batches: &'static [i64],
}

const SOME: Grid = Grid {
    channels: &[3, 8, 17],
    outs: &[7, 16],
    kernels: &[[1, 1], [3, 3]],
    strides: &[[1, 1], [2, 2], [1, 2]],
    dilations: &[1],
    sizes: &[[8, 9]],
    batches: &[5],
};

/// 1x1 convolutions with a stride of maps as large as in training.
const POINTWISE: Grid = Grid {
    channels: &[3, 8, 12, 15],
    outs: &[4, 16],
    kernels: &[[1, 1]],
    strides: &[[2, 2], [1, 2], [2, 1]],
    dilations: &[1],
    sizes: &[[64, 64]],
    batches: &[16],
};

const ALL: Grid = Grid {
    channels: &[1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 24, 32, 33],
    outs: &[1, 2, 3, 7, 8, 15, 16, 17, 24, 32, 40],
    kernels: &[[1, 1], [2, 2], [3, 3], [5, 5], [1, 3], [3, 1]],
    strides: &[[1, 1], [2, 2], [3, 3], [1, 2], [2, 1]],
    dilations: &[1, 2],
    sizes: &[[4, 4], [8, 9], [17, 5]],
    batches: &[1, 2, 3, 8],
};

impl Grid {
    fn cases(&self) -> Vec<Case> {
        let mut all = Vec::new();
        for &size in self.sizes {
            for &stride in self.strides {
                for &kernel in self.kernels {
                    for op in self.windows(kernel, stride) {
                        self.add(&mut all, &op, size);
                    }
                }
            }
            for &channels in self.channels {
                let norm = Op::BatchNorm(BatchNorm { eps: 1e-5, momentum: 0.1, affine: true });
                self.push(&mut all, norm, channels, size);
                for &out in self.outs {
                    self.push(&mut all, Op::Linear(Linear { out, bias: true }), channels, size);
                }
            }
        }
        for (name, network) in cases::all() {
            let batches = self.batches.iter().filter(|&&batch| batch > 1);
            let of = |&batch| Case { name: name.clone(), network: network.clone(), batch };
            all.extend(batches.map(of));
        }
        all
    }

    /// What has a kernel and a stride.
    fn windows(&self, kernel: [u32; 2], stride: [u32; 2]) -> Vec<Op> {
        let mut ops = Vec::new();
        for padding in [VALID, same(kernel, [1, 1])] {
            let window = Pool { kernel, stride, padding, ceil: false };
            ops.push(Op::MaxPool(MaxPool { window }));
            ops.push(Op::AvgPool(AvgPool { window, count_include_pad: false }));
            for &d in self.dilations.iter().filter(|&&d| d == 1 || kernel != [1, 1]) {
                let dilation = [d; 2];
                let padding = if padding == VALID { VALID } else { same(kernel, dilation) };
                let base = Conv { kernel, stride, dilation, padding, bias: true, ..conv(1, 1) };
                ops.push(Op::Conv(base));
                let Conv { out, groups, bias, .. } = base;
                let output_padding = [0, 0];
                ops.push(Op::ConvTranspose(ConvTranspose {
                    out,
                    kernel,
                    stride,
                    dilation,
                    groups,
                    bias,
                    padding,
                    output_padding,
                }));
            }
            if padding == VALID && same(kernel, [1, 1]) == VALID {
                break;
            }
        }
        if kernel == [1, 1] {
            let padding = same([3, 3], [1, 1]);
            ops.push(Op::Conv(Conv { kernel, stride, padding, ..conv(1, 1) }));
        }
        ops
    }

    /// An operator with all channels.
    fn add(&self, all: &mut Vec<Case>, op: &Op, size: [u32; 2]) {
        for &channels in self.channels {
            match op {
                Op::Conv(op) => {
                    for &out in self.outs {
                        self.push(all, Op::Conv(Conv { out, ..*op }), channels, size);
                        let apart = Conv { out: 2 * out, groups: groups(2), ..*op };
                        self.push(all, Op::Conv(apart), 2 * channels, size);
                    }
                    for times in [1, 2] {
                        let out = times * channels;
                        let apart = Conv { out, groups: groups(channels), ..*op };
                        self.push(all, Op::Conv(apart), channels, size);
                    }
                }
                Op::ConvTranspose(op) => {
                    for &out in self.outs {
                        let op = ConvTranspose { out, ..*op };
                        self.push(all, Op::ConvTranspose(op), channels, size);
                    }
                    let apart = ConvTranspose { out: channels, groups: groups(channels), ..*op };
                    self.push(all, Op::ConvTranspose(apart), channels, size);
                }
                op => self.push(all, op.clone(), channels, size),
            }
        }
    }

    fn push(&self, all: &mut Vec<Case>, op: Op, channels: u32, [height, width]: [u32; 2]) {
        let shape = Shape::from([channels, height, width]);
        if op.shape(&[shape]).is_err() {
            return;
        }
        let network = single(op.clone(), &[shape]);
        for &batch in self.batches {
            // The variance of one value says nothing.
            if batch == 1 && matches!(op, Op::BatchNorm(_)) {
                continue;
            }
            let name = format!("{batch} x {shape}: {op:?}");
            all.push(Case { name, network: network.clone(), batch });
        }
    }
}

/// The gradients of a random sum of the outputs, by inputs and weights, and the outputs.
fn computed(case: &Case, kind: Kind) -> Vec<Tensor> {
    let mut torch = TorchNetwork::new(&case.network, 1, Device::Cpu).unwrap();
    torch.load(&with_weights(&case.network).weights).unwrap();
    if kind == Kind::Double {
        torch.parameters.make_double();
    }
    torch.parameters.require_gradients(true).unwrap();
    let ports = case.network.inputs.iter().zip(0..);
    let inputs = ports.map(|(port, seed)| {
        let dims = case.network.nodes[port.node].shape;
        let sizes = std::iter::once(case.batch).chain(dims.dims().iter().map(|&d| i64::from(d)));
        let x = random(seed, &sizes.collect::<Vec<_>>()).to_kind(kind);
        let x = if kind == Kind::Double { x } else { channels_last(&x).unwrap() };
        x.set_requires_grad(true)
    });
    let inputs: Vec<Tensor> = inputs.collect();
    let outputs = torch.evaluation(Statistics::Batch).run(&inputs).unwrap();
    let sums = outputs.iter().zip(50..).map(|(y, seed)| {
        let cotangent = random(seed, &y.size()).to_kind(kind);
        (y * channels_last(&cotangent).unwrap()).sum(kind)
    });
    let sum = sums.reduce(|a, b| a + b).unwrap();
    let ids = torch.parameters.specs().map(|(id, _)| id);
    let mut leaves = inputs;
    let trainable = torch.parameters.all_trainable(ids).unwrap().into_iter();
    leaves.extend(trainable.map(|(_, tensor, _)| tensor.shallow_clone()));
    let mut all = match sum.requires_grad() {
        true => Tensor::run_backward(&[sum], &leaves, false, false),
        false => Vec::new(),
    };
    all.extend(outputs);
    all
}

/// Whether a case comes to the same as in double precision, as far as sums of so many terms do.
fn is_right(case: &Case) -> bool {
    let (found, expected) = (computed(case, Kind::Float), computed(case, Kind::Double));
    let terms = expected.last().map_or(0, Tensor::numel) as f64;
    found.iter().zip(&expected).all(|(found, expected)| {
        if !expected.defined() {
            return !found.defined();
        }
        let size = expected.abs().max().double_value(&[]).max(terms.sqrt());
        let error = (found.to_kind(Kind::Double) - expected).abs().max().double_value(&[]);
        error <= 1e-4 * size
    })
}

/// Goes through the cases in child processes, for each of these numbers of threads; `test` is the one that
/// calls this.
fn sweep(test: &str, cases: &[Case], threads: &[i32]) {
    if let Ok(first) = env::var(FIRST) {
        tch::set_num_threads(env::var(THREADS).unwrap().parse().unwrap());
        let first = first.parse().unwrap();
        for (number, case) in cases.iter().enumerate().skip(first) {
            eprintln!("sweep {number}");
            if !is_right(case) {
                eprintln!("wrong {number}");
            }
        }
        eprintln!("sweep {}", cases.len());
        return;
    }
    threads.iter().for_each(|&threads| sweep_on(test, cases, threads));
}

fn sweep_on(test: &str, cases: &[Case], threads: i32) {
    let (mut first, mut faults) = (0, Vec::new());
    while first < cases.len() {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("tests::sweep::{test}"), "--nocapture", "--include-ignored"])
            .env(FIRST, first.to_string())
            .env(THREADS, threads.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            match line.split_once(' ').map(|(what, number)| (what, number.parse())) {
                Some(("sweep", Ok(number))) => first = number,
                Some(("wrong", Ok(number))) => {
                    faults.push(format!("wrong: {}", cases[number].name));
                }
                _ => {}
            }
        }
        let status = child.wait().unwrap();
        if first < cases.len() {
            faults.push(format!("{status}, here or just before: {}", cases[first].name));
            first += 1;
        }
    }
    let count = cases.len();
    println!("{count} cases, threads: {threads}");
    assert!(
        faults.is_empty(),
        "{} of {count}, threads: {threads}:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn small_shapes_have_the_gradients_of_double_precision() {
    let is_convolution =
        |case: &Case| case.network.nodes.iter().any(|node| matches!(node.op, Some(Op::Conv(_))));
    let mut cases = SOME.cases();
    cases.extend(POINTWISE.cases().into_iter().filter(is_convolution));
    sweep("small_shapes_have_the_gradients_of_double_precision", &cases, &[1, 2]);
}

#[test]
#[ignore = "minutes"]
fn every_small_shape_has_the_gradients_of_double_precision() {
    sweep("every_small_shape_has_the_gradients_of_double_precision", &ALL.cases(), &[1]);
}
