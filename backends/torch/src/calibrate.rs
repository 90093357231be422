//! Fresh weights that exercise a network: each layer's values of order 1.

use std::collections::HashMap;

use nas_ir::ops::{Initial, Levels, Op, Role};
use nas_ir::{IdVec, Model, Network, Tensor as Plain};
use tch::{Device, Kind, Tensor, no_grad};

use crate::error::TorchError;
use crate::network::TorchNetwork;
use crate::parameters::Parameters;
use crate::program::Program;
use crate::statistics::Statistics;
use crate::threads::use_threads;
use crate::value::Value;

/// Statistics keep so many steps between one and two: their last digits are those of a machine.
const STEPS: f64 = 256.0;
/// The offset of a batch norm before a rectifier, in standard deviations of its values.
const OFFSET: f32 = 1.0;

/// The model with its kernels scaled and its batch norms set, layer by layer, to what they see of some
/// pictures, a tensor `[N, C, H, W]` for each input: the values of each layer that has a kernel get the
/// root mean square 1, as in the initialisation of Mishkin and Matas 2016, and the running statistics
/// become those of the pictures. What a rectifier reads of a batch norm gets the mean 1, so that it cuts off one value
/// of six: at the mean 0, where it is one of two, each layer adds a fifth to how far two computations are apart, and of
/// fifty none agrees with another about what rounding left (Yang et al. 2019, *A mean field theory of batch normalization*). Evaluated on one thread of the processor; factors and statistics
/// are rounded to 8 bits, so that threads and processors agree on them.
///
/// # Errors
/// The weights or the pictures are not those of the network.
pub fn calibrate(model: Model, pictures: &[Plain]) -> Result<Model, TorchError> {
    use_threads(1);
    let Model { network, mut weights } = model;
    for name in offsets(&network) {
        if let Some(offset) = weights.get_mut(&name).and_then(Plain::floats_mut) {
            offset.fill(OFFSET);
        }
    }
    let program = Program::of_network(&network, None)?;
    let parameters = Parameters::blank(&program.parameters, Device::Cpu)?;
    let mut torch = TorchNetwork::with(program, parameters, Device::Cpu)?;
    torch.load(&weights)?;
    let count = pictures.first().and_then(|of| of.dims.first()).map_or(0, |&n| n as usize);
    let slices: Vec<&[f32]> = pictures.iter().map(|of| of.floats().unwrap_or_default()).collect();
    let inputs = torch.inputs(&slices, count)?;
    let kernels = kernels(&torch)?;
    no_grad(|| {
        let evaluation = torch.evaluation(Statistics::Average { seen: 0 });
        evaluation.evaluate(&inputs, |node, value| match (kernels.get(node), value) {
            (Some(kernel), Value::Tensor { tensor, .. }) => scale(kernel, tensor),
            _ => Ok::<(), TorchError>(()),
        })
    })?;
    torch.parameters.save(&mut weights)?;
    for needed in network.weights() {
        let Some(values) = weights.get_mut(&needed.name).and_then(Plain::floats_mut) else {
            continue;
        };
        match needed.weight.role {
            Role::RunningMean => values.iter_mut().for_each(|mean| *mean = rounded(*mean)),
            // A channel that is the same everywhere is not blown up.
            Role::RunningVariance => values.iter_mut().for_each(|variance| {
                *variance = if *variance > 0.0 { rounded(*variance) } else { 1.0 };
            }),
            _ => {}
        }
    }
    Ok(Model { network, weights })
}

/// The offsets of the batch norms whose values come to a rectifier, also through what makes no new values of them, and in sums; but
/// not of those that are added to the value of a rectifier, whose mean is above zero. In a sum of several the mean is further above
/// zero than in one, and the rectifier cuts off less.
fn offsets(network: &Network) -> Vec<String> {
    let mut is_rectified = IdVec::filled(network.nodes.len(), false);
    let op_of = |index| network.node(index).and_then(|node| node.op.as_ref());
    let mut names = Vec::new();
    for (index, node) in network.nodes.iter().enumerate().rev() {
        let Some(op) = &node.op else { continue };
        let hands_on = match op {
            Op::Add(_) => !node.inputs.iter().any(|&it| op_of(it).is_some_and(is_rectifier)),
            _ => op.levels() == Levels::Operands,
        };
        if is_rectifier(op) || hands_on && is_rectified[index] {
            node.inputs.iter().for_each(|&operand| is_rectified[operand] = true);
        }
        if is_rectified[index] {
            let own = network.node_weights(node).into_iter();
            names.extend(own.filter(|it| it.weight.role == Role::Shift).map(|it| it.name));
        }
    }
    names
}

/// Whether an operator cuts off what lies below zero, or hands on little of it.
fn is_rectifier(op: &Op) -> bool {
    matches!(
        op,
        Op::Relu(_) | Op::Relu6(_) | Op::LeakyRelu(_) | Op::Prelu(_) | Op::Hswish(_) | Op::Swish(_)
    )
}

/// The kernels that are drawn, by the nodes that read them.
fn kernels(torch: &TorchNetwork) -> Result<HashMap<String, Tensor>, TorchError> {
    let mut kernels = HashMap::new();
    for instruction in torch.program.instructions.rows() {
        for view in instruction.weights() {
            let spec = torch.parameters.spec(view.parameter)?;
            if matches!(spec.initial, Initial::Normal { .. }) {
                let read = torch.parameters.read(std::slice::from_ref(view))?;
                kernels.extend(read.into_iter().map(|kernel| (instruction.node.clone(), kernel)));
            }
        }
    }
    Ok(kernels)
}

/// Scales a kernel, and what it came to, to the root mean square 1. Fresh biases are 0.
fn scale(kernel: &Tensor, value: &Tensor) -> Result<(), TorchError> {
    let square = value.f_square()?.f_mean(Kind::Double)?.f_double_value(&[])?;
    let factor = f64::from(rounded((1.0 / square.sqrt()) as f32));
    if factor.is_finite() && factor > 0.0 {
        for mut tensor in [kernel.shallow_clone(), value.shallow_clone()] {
            let _ = tensor.f_mul_scalar_(factor)?;
        }
    }
    Ok(())
}

/// A number to 8 bits after its first.
fn rounded(value: f32) -> f32 {
    let value = f64::from(value);
    if value == 0.0 || !value.is_finite() {
        return value as f32;
    }
    let step = value.abs().log2().floor().exp2() / STEPS;
    ((value / step).round() * step) as f32
}
