//! The kernels, and what they are called with: one match without decisions.

use nas_kernels::Activation;
use tch::{Kind, Tensor};

use super::convolution::{Convolution, TransposedConvolution};
use super::dropout::{Dropout, Noise};
use super::margin::Sides;
use super::norm::BatchNorm;
use super::pool::{AvgPool, MaxPool, MaxUnpool};
use super::resize::Resize;
use crate::error::TorchError;
use crate::fused::{self, Chain, Role};
use crate::statistics::Statistics;
use crate::value::{Operands, Pictures, Value};

/// How the value of one operator is computed, with all that follows from the operator, the shapes
/// of its operands and the device.
#[derive(Debug, PartialEq)]
pub(crate) enum Kernel {
    /// The sum of the operands.
    Add,
    AvgPool(AvgPool),
    BatchNorm(BatchNorm),
    /// The operands one after the other, along the channels.
    Concat,
    Convolution(Convolution),
    /// A map without these sides.
    Crop(Sides),
    Dropout(Dropout),
    Flatten,
    Hsigmoid,
    Hswish,
    /// The operand itself.
    Identity,
    /// A rectifier with a slope `[1]` below zero.
    LeakyRelu(Tensor),
    Linear,
    MaxPool(MaxPool),
    MaxUnpool(MaxUnpool),
    /// The mean of each channel of a map.
    MeanOfMap,
    /// The product of the operands.
    Mul,
    /// This many channels from one on.
    Narrow {
        start: i64,
        length: i64,
    },
    /// Zeros around: before and after, for each axis from the last one.
    Pad(Vec<i64>),
    Prelu,
    Relu,
    Relu6,
    Resize(Resize),
    /// Each channel moved by a fixed step: a depthwise convolution with this kernel.
    Shift {
        convolution: Convolution,
        kernel: Tensor,
    },
    /// The channels of this many groups interleaved.
    Shuffle {
        groups: i64,
    },
    Sigmoid,
    Swish,
    Tanh,
    TransposedConvolution(TransposedConvolution),
    /// No value: zeros that no tensor is made for.
    Zero,
}

/// What a kernel sees beside its operands and parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The path of the node.
    pub(crate) node: &'a str,
    pub(crate) pictures: &'a Pictures,
    /// Which statistics batch norm takes.
    pub(crate) statistics: Statistics,
    /// Where dropouts have their numbers from; without, they are the identity.
    pub(crate) noise: Option<Noise>,
    /// Whether it is computed with others.
    pub(crate) role: Role,
}

type Made = Result<Value, TorchError>;

impl Kernel {
    /// Whether it takes values that are not computed yet.
    pub(crate) fn takes_chains(&self, role: Role) -> bool {
        match self {
            Self::Add | Self::BatchNorm(_) | Self::Identity => true,
            Self::Convolution(_) => matches!(role, Role::Convolution { .. }),
            _ => self.activation().is_some(),
        }
    }

    /// The activation that it is, if it can be computed with others.
    fn activation(&self) -> Option<Activation> {
        match self {
            Self::Relu => Some(Activation::RELU),
            Self::Relu6 => Some(Activation::RELU6),
            Self::Hswish => Some(Activation::HardSwish),
            Self::Swish => Some(Activation::Swish),
            _ => None,
        }
    }

    /// The value of the operator; `weights` are in the order of `Op::weights`.
    ///
    /// # Errors
    /// libtorch's: out of memory, or a crop that does not fit the network.
    pub(crate) fn run(&self, operands: Operands<'_>, weights: &[Tensor], call: &Call<'_>) -> Made {
        let fresh = |tensor| Ok(Value::fresh(tensor));
        let kept = |tensor| Ok(Value::kept(tensor));
        if let Some(activation) = self.activation()
            && (operands.is_chain() || call.role == Role::Input)
        {
            return activated(operands, activation);
        }
        match self {
            Self::Add => add(operands.values),
            Self::AvgPool(pool) => fresh(pool.run(&operands.tensor()?)?),
            Self::BatchNorm(norm) => match operands.only()? {
                Value::Chain(chain) if chain.awaits_norm() => {
                    Ok(Value::Chain(norm.of_chain(chain, weights, call.statistics)?))
                }
                value => fresh(norm.run(&value.settled()?.0, weights, call.statistics)?),
            },
            Self::Concat => fresh(Tensor::f_cat(&operands.tensors()?, 1)?),
            Self::Convolution(convolution) => {
                let (kernel, bias) = linear_map(weights)?;
                if let Role::Convolution { storage, begins } = call.role
                    && kernel.kind() == Kind::Float
                {
                    return convolution.fused(operands, (kernel, bias), storage, begins);
                }
                fresh(convolution.run(&operands.tensor()?, kernel, bias)?)
            }
            Self::Crop(sides) => kept(crop(*sides, &operands.tensor()?)?),
            Self::Dropout(dropout) => {
                kept(dropout.run(operands.tensor()?, call.noise, call.node)?)
            }
            Self::Flatten => kept(operands.tensor()?.f_flatten(1, -1)?),
            Self::Hsigmoid => fresh(operands.tensor()?.f_hardsigmoid()?),
            Self::Hswish => fresh(operands.tensor()?.f_hardswish()?),
            Self::Identity => operands.only(),
            Self::LeakyRelu(slope) => {
                let x = operands.tensor()?;
                fresh(x.f_prelu(&slope.f_to_kind(x.kind())?)?)
            }
            Self::Linear => {
                let (kernel, bias) = linear_map(weights)?;
                fresh(operands.tensor()?.f_flatten(1, -1)?.f_linear(kernel, bias)?)
            }
            Self::MaxPool(pool) => fresh(pool.run(&operands.tensor()?)?),
            Self::MaxUnpool(unpool) => fresh(unpool.run(&operands.tensors()?)?),
            Self::MeanOfMap => {
                fresh(operands.tensor()?.f_mean_dim([2i64, 3].as_slice(), true, None)?)
            }
            Self::Mul => match call.role {
                Role::Gate { operand } => gated(operands, operand),
                _ => mul(operands.values),
            },
            Self::Narrow { start, length } => {
                kept(operands.tensor()?.f_narrow(1, *start, *length)?)
            }
            Self::Pad(sides) => fresh(operands.tensor()?.f_constant_pad_nd(sides)?),
            Self::Prelu => match weights {
                [slopes] => fresh(operands.tensor()?.f_prelu(slopes)?),
                _ => Err(TorchError::broken("a rectifier without its slopes")),
            },
            // Autograd keeps the result of these two, so the memory of the operand can be reused.
            Self::Relu => {
                let (mut x, is_fresh) = operands.tensor_and_freshness()?;
                kept(if is_fresh { x.f_relu_()? } else { x.f_relu()? })
            }
            Self::Relu6 => {
                let (mut x, is_fresh) = operands.tensor_and_freshness()?;
                kept(if is_fresh { x.f_relu6_()? } else { x.f_relu6()? })
            }
            Self::Resize(resize) => fresh(resize.run(&operands.tensor()?, call.pictures)?),
            Self::Shift { convolution, kernel } => {
                let x = operands.tensor()?;
                fresh(convolution.run(&x, &kernel.f_to_kind(x.kind())?, None)?)
            }
            Self::Shuffle { groups } => kept(operands.tensor()?.f_channel_shuffle(*groups)?),
            Self::Sigmoid => kept(operands.tensor()?.f_sigmoid()?),
            Self::Swish => fresh(operands.tensor()?.f_silu()?),
            Self::Tanh => kept(operands.tensor()?.f_tanh()?),
            Self::TransposedConvolution(convolution) => {
                let (kernel, bias) = linear_map(weights)?;
                kept(convolution.run(&operands.tensor()?, kernel, bias)?)
            }
            Self::Zero => Ok(Value::Zero),
        }
    }
}

/// A kernel, and a bias if there is one.
fn linear_map(weights: &[Tensor]) -> Result<(&Tensor, Option<&Tensor>), TorchError> {
    match weights {
        [kernel] => Ok((kernel, None)),
        [kernel, bias] => Ok((kernel, Some(bias))),
        _ => Err(TorchError::broken("an operator without its weights")),
    }
}

/// The operands are summed in order, into memory of their own where it may be overwritten.
fn add(operands: Vec<Value>) -> Made {
    let (mut sum, mut chains) = (Value::Zero, Vec::new());
    for operand in operands {
        let operand = match operand {
            Value::Chain(chain) if chain.is_linear() => {
                chains.push(chain);
                continue;
            }
            operand => operand.plain()?,
        };
        sum = match (sum, operand) {
            (
                Value::Tensor { tensor: mut a, fresh: a_fresh, .. },
                Value::Tensor { tensor: mut b, fresh: b_fresh, .. },
            ) => Value::fresh(if a_fresh {
                a.f_add_(&b)?
            } else if b_fresh {
                b.f_add_(&a)?
            } else {
                a.f_add(&b)?
            }),
            (Value::Zero, other) | (other, _) => other,
        };
    }
    if chains.is_empty() {
        return Ok(sum);
    }
    let rest = match &sum {
        Value::Tensor { tensor, .. } => Some(tensor),
        _ => None,
    };
    Ok(Value::fresh(fused::sum(rest, chains)?))
}

/// An activation that is computed by what reads it, or with what it reads.
fn activated(operands: Operands<'_>, activation: Activation) -> Made {
    let value = match operands.value()? {
        Value::Chain(chain) => match chain.activated(activation) {
            Ok(chain) => return Ok(Value::Chain(chain)),
            Err(chain) => Value::Chain(chain),
        },
        value => value,
    };
    Ok(Value::Chain(value.activated(activation)?))
}

/// A map and a number for each of its channels, which is the operand at this place: multiplied by what reads them.
fn gated(operands: Operands<'_>, gate: usize) -> Made {
    let mut values = operands.values;
    if values.len() != 2 || values.iter().any(|value| matches!(value, Value::Zero)) {
        return mul(values);
    }
    let (gate, _) = values.remove(gate).settled()?;
    let (map, identity) = values.remove(0).settled()?;
    if !matches!(gate.size().as_slice(), [_, _, 1, 1]) {
        // Of a larger crop than the network was checked for.
        return Ok(Value::fresh(map.f_mul(&gate)?));
    }
    Ok(Value::Chain(Chain::begin(&map, identity, Activation::NONE)?.gated(&gate)))
}

fn mul(operands: Vec<Value>) -> Made {
    let mut product: Option<Value> = None;
    for operand in operands {
        product = Some(match (product, operand) {
            (Some(Value::Zero), _) | (_, Value::Zero) => Value::Zero,
            (None, value) => Value::kept(value.settled()?.0),
            (Some(a), b) => Value::fresh(a.settled()?.0.f_mul(&b.settled()?.0)?),
        });
    }
    product.ok_or_else(|| TorchError::broken("a product of nothing"))
}

fn crop([left, right, top, bottom]: Sides, x: &Tensor) -> Result<Tensor, TorchError> {
    let &[_, _, h, w] = x.size().as_slice() else {
        return Err(TorchError::broken("a crop of what is no map"));
    };
    Ok(x.f_narrow(2, top, h - top - bottom)?.f_narrow(3, left, w - left - right)?)
}
