//! Channels of kernels that follow each other made alike in size (Nagel et al. 2019, section 4.1).
//!
//! A positive factor on a channel passes through `relu` and whatever keeps factors: `w2 f(w1 x) = (w2 s) f((w1 / s) x)`. With
//! `s = sqrt(r1 r2) / r2` of each channel, `r1` and `r2` being the largest taps of both kernels for it, both have the same
//! range, and no channel of the value between is much smaller than others.

use nas_ir::ops::{Channels, Factor, Role};
use nas_ir::{Model, Network, Op, Tensor, TensorName, fault};

use crate::kernel::map_taps;

/// How often all pairs are gone over: three layers in a row settle in a few rounds.
const ROUNDS: usize = 20;

/// Two nodes with kernels of which the second reads what the first makes, and all between keeps factors.
struct Pair {
    first: usize,
    second: usize,
}

/// The model with equalised kernels, which computes the same.
#[must_use]
pub fn equalise(mut model: Model) -> Model {
    let pairs = pairs(&model.network);
    for _ in 0..ROUNDS {
        for pair in &pairs {
            equalise_pair(&mut model, pair);
        }
    }
    model
}

fn pairs(network: &Network) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let reads = network.reads();
    for (second, node) in network.nodes.iter().enumerate() {
        if !node.op.as_ref().is_some_and(Op::has_kernel) {
            continue;
        }
        let mut at = node.inputs.first().copied();
        while let Some(index) = at {
            let is_alone = reads[index] == 1;
            let Some(between) = network.nodes.get(index).filter(|_| is_alone) else { break };
            let Some(op) = &between.op else { break };
            if op.has_kernel() {
                pairs.push(Pair { first: index, second });
                break;
            }
            let passes = op.factor() == Factor::Kept && op.channels() == Channels::Apart;
            at = between.inputs.first().copied().filter(|_| passes && between.inputs.len() == 1);
        }
    }
    pairs
}

fn equalise_pair(model: &mut Model, pair: &Pair) {
    let channels = model.network.nodes.get(pair.first).map_or(0, |node| node.shape.channels());
    let mut largest = [vec![0.0_f64; channels as usize], vec![0.0_f64; channels as usize]];
    let [first, second] = &mut largest;
    let most = |of: &mut Vec<f64>, channel: usize, tap: f64| {
        of.iter_mut().skip(channel).take(1).for_each(|most| *most = most.max(tap.abs()));
    };
    change(model, pair.first, Side::Output, |channel, tap| {
        most(first, channel, tap);
        tap
    });
    change(model, pair.second, Side::Input, |channel, tap| {
        most(second, channel, tap);
        tap
    });
    // By what the first kernel is divided; 1 where a channel has no taps on a side.
    let factor = |(&first, &second): (&f64, &f64)| {
        let factor = (first * second).sqrt() / second;
        if factor.is_finite() && factor > 0.0 { factor } else { 1.0 }
    };
    let factors: Vec<f64> = largest[0].iter().zip(&largest[1]).map(factor).collect();
    let of = |channel: usize| factors.get(channel).copied().unwrap_or(1.0);
    change(model, pair.first, Side::Output, |channel, tap| tap / of(channel));
    change(model, pair.second, Side::Input, |channel, tap| tap * of(channel));
    let bias = model.network.nodes.get(pair.first);
    let bias = bias.map(|node| TensorName::new(&node.name, Role::Bias).to_string());
    let bias = bias.and_then(|name| model.weights.get_mut(&name)).and_then(Tensor::floats_mut);
    for (channel, bias) in bias.into_iter().flatten().enumerate() {
        *bias = (f64::from(*bias) / of(channel)) as f32;
    }
}

/// By which of its channels a tap is looked at.
#[derive(Clone, Copy)]
enum Side {
    Input,
    Output,
}

/// Changes each tap of the kernel of a node, by a channel of its operand or of its result.
fn change(model: &mut Model, node: usize, side: Side, mut of: impl FnMut(usize, f64) -> f64) {
    let node = model.network.nodes.get(node);
    let Some((node, op)) = node.and_then(|node| Some((node, node.op.as_ref()?))) else { return };
    let name = TensorName::new(&node.name, Role::Kernel).to_string();
    let Some(kernel) = model.weights.get_mut(&name) else { fault("a node without its kernel") };
    map_taps(op, kernel, |row, tap| {
        let channel = match side {
            Side::Input => row.input,
            Side::Output => row.output,
        };
        of(channel as usize, tap)
    });
}
