//! Zen-score (Lin et al. 2021, algorithm 1): how far the features of a network with Gaussian weights move when its
//! Gaussian input does, with what its batch norms scaled away put back.

use nas_ir::Op;
use nas_ir::ops::{Initial, Role};
use tch::{Tensor, no_grad};

use super::common::{Found, kernels, number};
use crate::error::TorchError;
use crate::layout::channels_last;
use crate::network::TorchNetwork;
use crate::program::{Instruction, InstructionKind};
use crate::random::{Purpose, normal, stream};
use crate::statistics::Statistics;
use crate::value::Value;

/// How often weights and inputs are drawn anew; the score is the mean.
pub(super) const REPEATS: u64 = 4;
/// How far the input moves (alpha of the paper).
const ALPHA: f64 = 0.01;

/// `log E |f(x) - f(x + alpha e)|` and half the log of the mean variance at each batch norm before the features. The
/// features f are what the last global pooling reads, as in the paper; without one, the outputs. Residuals and
/// squeeze-and-excitation stay, which the paper leaves out. `fresh` makes the network with the weights of a seed, and the
/// pictures are of the sizes of `inputs`.
pub(super) fn zen(
    fresh: impl Fn(u64) -> Result<TorchNetwork, TorchError>,
    inputs: &[Tensor],
    seed: u64,
) -> Result<Found, TorchError> {
    let mut sum = 0.0;
    for repeat in 0..REPEATS {
        let seed = seed.wrapping_add(repeat);
        let network = fresh(seed)?;
        make_standard_normal(&network)?;
        match score(&network, inputs, seed)? {
            Ok(score) => sum += score,
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(sum / REPEATS as f64))
}

/// Brings all kernels to the variance 1.
pub(super) fn make_standard_normal(network: &TorchNetwork) -> Result<(), TorchError> {
    no_grad(|| {
        for (id, kernel) in kernels(network)? {
            if let Initial::Normal { std } = network.parameters.spec(id)?.initial {
                let _ = kernel.shallow_clone().f_div_scalar_(std)?;
            }
        }
        Ok(())
    })
}

pub(super) fn score(
    network: &TorchNetwork,
    like: &[Tensor],
    seed: u64,
) -> Result<Found, TorchError> {
    let (mut images, mut moved) = (Vec::new(), Vec::new());
    for (input, like) in like.iter().enumerate() {
        let (drawn, noise) =
            (gaussian(like, seed, 2 * input)?, gaussian(like, seed, 2 * input + 1)?);
        moved.push(drawn.f_add(&noise.f_mul_scalar(ALPHA)?)?);
        images.push(drawn);
    }
    no_grad(|| {
        let here = features(network, &images, Statistics::Average { seen: 0 })?;
        let scale = log_deviations(network)?;
        let there = features(network, &moved, Statistics::Batch)?;
        let distance = here.f_sub(&there)?.f_flatten(1, -1)?;
        let norms =
            distance.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, None)?.f_sqrt()?;
        let moved = number(&norms.f_mean(tch::Kind::Double)?)?;
        let stays = || Err("its features do not depend on the input".to_owned());
        Ok(if moved > 0.0 { Ok(moved.ln() + scale) } else { stays() })
    })
}

/// Standard normal pictures of the sizes of others.
pub(super) fn gaussian(images: &Tensor, seed: u64, input: usize) -> Result<Tensor, TorchError> {
    let numbers = normal(&mut stream(seed, Purpose::Picture { input }), 1.0, images.numel());
    let numbers = Tensor::f_from_slice(&numbers)?.f_view(images.size().as_slice())?;
    channels_last(&numbers.f_to_device(images.device())?)
}

/// The instruction that pools the features, with its place in the program.
fn pooling(network: &TorchNetwork) -> Option<(usize, &Instruction)> {
    let rows = network.program.instructions.rows().iter().enumerate();
    let mut pooling = rows.filter(|(_, instruction)| match &instruction.kind {
        InstructionKind::Op(case) => matches!(case.op, Op::GlobalAvgPool(_)),
        InstructionKind::Input(_)
        | InstructionKind::Select(_)
        | InstructionKind::Mask(_)
        | InstructionKind::Round(_)
        | InstructionKind::Output => false,
    });
    let (place, pooling) = pooling.next_back()?;
    // One whose map is still to come, as in a squeeze-and-excitation, pools no features.
    let mut later = network.program.instructions.rows().iter().skip(place);
    later.all(is_pooled).then_some((place, pooling))
}

/// Whether the value of an instruction is no map.
fn is_pooled(instruction: &Instruction) -> bool {
    match &instruction.kind {
        InstructionKind::Op(case) => case.output.positions() <= 1,
        InstructionKind::Input(_)
        | InstructionKind::Select(_)
        | InstructionKind::Mask(_)
        | InstructionKind::Round(_)
        | InstructionKind::Output => true,
    }
}

/// The features `[N, C, H, W]` of pictures of such sizes, for each input.
fn features(
    network: &TorchNetwork,
    inputs: &[Tensor],
    statistics: Statistics,
) -> Result<Tensor, TorchError> {
    let read = pooling(network).map(|(_, pooling)| pooling.operand(0)).transpose()?;
    let read = read.map(|value| network.program.node(value)).transpose()?;
    let mut features = None;
    let outputs = network.evaluation(statistics).evaluate(inputs, |node, value| {
        if let (true, Value::Tensor { tensor, .. }) = (Some(node) == read, value) {
            // What comes later may overwrite it.
            features = Some(tensor.f_detach_copy()?);
        }
        Ok::<(), TorchError>(())
    })?;
    let missing = || TorchError::broken("a network without outputs");
    features.or_else(|| outputs.into_iter().next()).ok_or_else(missing)
}

/// The sum over the batch norms before the features of `log sqrt(mean variance)`, of the statistics that they hold.
pub(super) fn log_deviations(network: &TorchNetwork) -> Result<f64, TorchError> {
    let rows = network.program.instructions.rows();
    let end = pooling(network).map_or(rows.len(), |(place, _)| place);
    let mut sum = 0.0;
    for instruction in rows.iter().take(end) {
        for view in instruction.weights() {
            if network.parameters.spec(view.parameter)?.role != Role::RunningVariance {
                continue;
            }
            for variance in network.parameters.read(std::slice::from_ref(view))? {
                sum += 0.5 * number(&variance.f_mean(tch::Kind::Double)?)?.ln();
            }
        }
    }
    Ok(sum)
}
