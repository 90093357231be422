//! NASWOT (Mellor et al. 2021, equation 2): a network whose rectifiers tell images apart before any training.

use std::collections::BTreeSet;

use nas_ir::Op;
use tch::{Kind, Tensor, no_grad};

use super::common::{Found, number};
use crate::error::TorchError;
use crate::network::TorchNetwork;
use crate::program::InstructionKind;
use crate::statistics::Statistics;
use crate::value::Value;

/// The logarithm of the determinant of the kernel whose entry for two images is the number of units that are on for both or off
/// for both. The units are those of all operators that are off below zero: `relu`, `relu6`, `leaky_relu`, `prelu`, `hswish`
/// and `swish`; one is on where its value is above zero.
pub(super) fn naswot(network: &TorchNetwork, inputs: &[Tensor]) -> Result<Found, TorchError> {
    let rectifiers = rectifiers(network);
    if rectifiers.is_empty() {
        return Ok(Err("it has no rectifier".to_owned()));
    }
    let missing = || TorchError::broken("a network without inputs");
    let images = inputs.first().ok_or_else(missing)?;
    let count = images.size().first().copied().unwrap_or_default();
    let kernel = Tensor::f_zeros([count, count], (Kind::Double, images.device()))?;
    no_grad(|| {
        network.evaluation(Statistics::Batch).evaluate(inputs, |node, value| match value {
            Value::Tensor { tensor, .. } if rectifiers.contains(node) => {
                let _ = kernel.shallow_clone().f_add_(&alike(tensor)?)?;
                Ok::<(), TorchError>(())
            }
            _ => Ok(()),
        })
    })?;
    log_determinant(&kernel)
}

/// For each two images `[N, N]`, how many units of a value `[N, …]` they set alike. Counts below 2^24 are exact.
fn alike(value: &Tensor) -> Result<Tensor, TorchError> {
    let on = value.f_gt(0.0)?.f_flatten(1, -1)?.f_to_kind(Kind::Float)?;
    let off = on.f_rsub_scalar(1.0)?;
    let both =
        on.f_matmul(&on.f_transpose(0, 1)?)?.f_add(&off.f_matmul(&off.f_transpose(0, 1)?)?)?;
    Ok(both.f_to_kind(Kind::Double)?)
}

fn log_determinant(kernel: &Tensor) -> Result<Found, TorchError> {
    // Equal rows make it singular, which rounding would hide.
    let units = number(&kernel.f_max()?)?;
    let same = kernel.f_eq(units)?.f_sum(Kind::Int64)?.f_int64_value(&[])?;
    let count = kernel.size().first().copied().unwrap_or_default();
    if same > count {
        return Ok(Err("two images set all of its rectifiers alike".to_owned()));
    }
    let (sign, logarithm) = kernel.f_slogdet()?;
    let singular = || Err("its images are not told apart by its rectifiers".to_owned());
    Ok(if number(&sign)? > 0.0 { Ok(number(&logarithm)?) } else { singular() })
}

/// The paths of the rectifiers.
fn rectifiers(network: &TorchNetwork) -> BTreeSet<&str> {
    let instructions = network.schedule.needed(&network.program);
    let rectifiers = instructions.filter(|instruction| match &instruction.kind {
        InstructionKind::Op(case) => is_rectifier(&case.op),
        InstructionKind::Input(_)
        | InstructionKind::Select(_)
        | InstructionKind::Mask(_)
        | InstructionKind::Round(_)
        | InstructionKind::Output => false,
    });
    rectifiers.map(|instruction| instruction.node.as_str()).collect()
}

fn is_rectifier(op: &Op) -> bool {
    matches!(
        op,
        Op::Relu(_) | Op::Relu6(_) | Op::LeakyRelu(_) | Op::Prelu(_) | Op::Hswish(_) | Op::Swish(_)
    )
}
