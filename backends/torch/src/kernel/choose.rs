//! The kernel of each operator: one exhaustive match, which networks and supernets share. A new
//! operator does not compile until it is planned here.

use nas_ir::ops::Shift;
use nas_ir::{Op, Shape};
use tch::{Device, Tensor};

use super::call::Kernel;
use super::convolution::{Convolution, TransposedConvolution};
use super::dropout::{Dropout, Unit};
use super::margin::around;
use super::norm::BatchNorm;
use super::pool::{AvgPool, MaxPool, MaxUnpool};
use super::resize::Resize;
use crate::error::TorchError;
use crate::program::OpCase;

type Planned = Result<Kernel, TorchError>;

impl Kernel {
    /// Plans how an operator is computed on a device.
    ///
    /// # Errors
    /// Out of memory, or the operator is not one of a well-formed program.
    pub(crate) fn of(case: &OpCase, device: Device) -> Planned {
        let dropout = |p, unit| Ok(Kernel::Dropout(Dropout { p, unit }));
        Ok(match &case.op {
            Op::Add(_) => Kernel::Add,
            Op::AvgPool(op) => Kernel::AvgPool(AvgPool::new(op, only(case)?)?),
            Op::BatchNorm(op) => Kernel::BatchNorm(BatchNorm::new(op)),
            Op::ChannelPad(op) => {
                // libtorch begins with the last axis.
                let mut pads = vec![0; 2 * only(case)?.spatial().len()];
                pads.extend([op.before, op.after].map(i64::from));
                Kernel::Pad(pads)
            }
            Op::ChannelShuffle(op) => Kernel::Shuffle { groups: i64::from(op.groups.get()) },
            Op::ChannelSlice(op) => {
                let (start, end) = (i64::from(op.start), i64::from(op.end));
                Kernel::Narrow { start, length: end - start }
            }
            Op::Concat(_) => Kernel::Concat,
            Op::Conv(op) => Kernel::Convolution(Convolution::new(op, only(case)?, device)),
            Op::ConvTranspose(op) => Kernel::TransposedConvolution(TransposedConvolution::new(op)),
            Op::Crop(op) => Kernel::Crop(around(op.0)),
            Op::DropPath(op) => return dropout(op.p, Unit::Picture),
            Op::Dropout(op) => return dropout(op.p, Unit::Element),
            Op::Flatten(_) => Kernel::Flatten,
            Op::GlobalAvgPool(_) => Kernel::MeanOfMap,
            Op::Hsigmoid(_) => Kernel::Hsigmoid,
            Op::Hswish(_) => Kernel::Hswish,
            Op::Identity(_) => Kernel::Identity,
            Op::LeakyRelu(op) => {
                Kernel::LeakyRelu(Tensor::f_from_slice(&[op.slope])?.f_to_device(device)?)
            }
            Op::Linear(_) => Kernel::Linear,
            Op::MaxPool(op) => Kernel::MaxPool(MaxPool::new(op, only(case)?)?),
            Op::MaxUnpool(op) => Kernel::MaxUnpool(MaxUnpool::new(op)),
            Op::Mul(_) => Kernel::Mul,
            Op::Pad(op) => Kernel::Pad(around(op.0).to_vec()),
            Op::Prelu(_) => Kernel::Prelu,
            Op::Relu(_) => Kernel::Relu,
            Op::Relu6(_) => Kernel::Relu6,
            Op::Resize(op) => Kernel::Resize(Resize::new(op, only(case)?, case.output)?),
            Op::Shift(op) => return shift(op, only(case)?, device),
            Op::Sigmoid(_) => Kernel::Sigmoid,
            Op::SpatialDropout(op) => return dropout(op.p, Unit::Channel),
            Op::Swish(_) => Kernel::Swish,
            Op::Tanh(_) => Kernel::Tanh,
            Op::Zero(_) => Kernel::Zero,
        })
    }
}

/// The shape of the only operand.
fn only(case: &OpCase) -> Result<Shape, TorchError> {
    match case.inputs.as_slice() {
        [shape] => Ok(*shape),
        shapes => Err(TorchError::broken(format!("an operator of one tensor has {shapes:?}"))),
    }
}

fn shift(op: &Shift, from: Shape, device: Device) -> Planned {
    let (conv, kernel) = op.as_conv(from);
    let sizes = [from.channels(), 1, op.kernel, op.kernel].map(i64::from);
    let kernel = Tensor::f_from_slice(&kernel)?.f_view(sizes)?.f_to_device(device)?;
    Ok(Kernel::Shift { convolution: Convolution::new(&conv, from, device), kernel })
}
